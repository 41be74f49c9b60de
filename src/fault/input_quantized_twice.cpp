// x' = code(x) taken as a real: the network computes with sat(round(code(x)/s) + z).
#include "fault/fault_input.h"

namespace lockstep {
namespace {

bool applies(const Site& site) {
  return site.input != no_id && input_coding(site).has_value();
}

std::vector<Params> candidates(const Site&, const Evidence&) {
  return {Params{}};
}

Result<void> replay(Replay& r) {
  const InputCoding coding = *input_coding(r.site);
  Tensor& x = r.out[0];
  for (std::int64_t i = 0; i < x.count(); ++i) {
    const auto as_real = static_cast<double>(coding.code_of(x, i));
    if (coding.is_float)
      x.set_number(i, as_real);
    else
      x.set_code(i, coding.quantize(as_real));
  }
  return {};
}

}  // namespace

extern constinit const FaultDef fault_input_quantized_twice = {
    .name = "input-quantized-twice",
    .claim = "the input is quantized twice: its codes are taken as real values",
    .advice =
        "send real values where the model quantizes by itself, or codes where it does not: look at "
        "the\n"
        "element type and size of the input buffer that the target reports",
    .stage = Stage::input,
    .applies = applies,
    .candidates = candidates,
    .replay = replay,
};

}  // namespace lockstep
