// code' = sat(x): the real value itself is stored as code, without scale and zero point.
#include <cmath>

#include "fault/fault_input.h"

namespace lockstep {
namespace {

constexpr ParamSpec params[] = {
    {"truncates", "0: the real value is rounded to the nearest code; 1: cut toward zero", 0,
     Takes::flag()}};

bool applies(const Site& site) {
  return site.input != no_id && input_coding(site).has_value();
}

std::vector<Params> candidates(const Site&, const Evidence&) {
  return {Params{{"truncates", 0}}, Params{{"truncates", 1}}};
}

Result<void> replay(Replay& r) {
  const InputCoding coding = *input_coding(r.site);
  const bool truncates = param(params, r.params, "truncates") != 0;
  Tensor& x = r.out[0];
  for (std::int64_t i = 0; i < x.count(); ++i) {
    const double real = coding.is_float ? x.number(i) : coding.real(x.code(i));
    coding.set_code(x, i, coding.saturate(truncates ? std::trunc(real) : real));
  }
  return {};
}

}  // namespace

extern constinit const FaultDef fault_input_not_quantized = {
    .name = "input-not-quantized",
    .claim =
        "the input is not quantized: real values are {truncates?0:rounded to codes|1:cut off "
        "to codes} as they are",
    .advice =
        "quantize with the input's own scale and zero point: code = round(x / scale) + zero point",
    .stage = Stage::input,
    .params = params,
    .applies = applies,
    .candidates = candidates,
    .replay = replay,
};

}  // namespace lockstep
