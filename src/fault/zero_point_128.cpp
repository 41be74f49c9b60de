// code' = code xor 0x80 (or code +- 128, saturated): int8 taken for uint8 at the input.
#include "fault/fault_input.h"

namespace lockstep {
namespace {

constexpr ParamSpec params[] = {
    {"saturates",
     "0: the top bit flips; 1: 128 is added and saturates; -1: 128 is subtracted and saturates", 0,
     Takes::between(-1, 1)}};

bool applies(const Site& site) {
  if (site.input == no_id) return false;
  const auto coding = input_coding(site);
  return coding && size_of(coding->dtype) == 1;
}

std::vector<Params> candidates(const Site&, const Evidence&) {
  return {Params{{"saturates", 0}}, Params{{"saturates", 1}}, Params{{"saturates", -1}}};
}

Result<void> replay(Replay& r) {
  const InputCoding coding = *input_coding(r.site);
  const double saturates = param(params, r.params, "saturates");
  Tensor& x = r.out[0];
  for (std::int64_t i = 0; i < x.count(); ++i) {
    const std::int64_t code = coding.code_of(x, i);
    const std::int64_t off =
        saturates == 0 ? coding.wrap(code + 128)
                       : coding.saturate(static_cast<double>(code) + (saturates > 0 ? 128 : -128));
    coding.set_code(x, i, off);
  }
  return {};
}

}  // namespace

extern constinit const FaultDef fault_zero_point_128 = {
    .name = "zero-point-128",
    .claim =
        "the input's codes are off by 128{saturates?0:|1:, too large, and saturate|-1:, too "
        "small, and saturate}: int8 and uint8 are taken for each other",
    .advice =
        "print element type, scale and zero point of the input on the target\n"
        "uint8 data for an int8 input: flip the top bit of every byte and use zero point - 128",
    .stage = Stage::input,
    .params = params,
    .applies = applies,
    .candidates = candidates,
    .replay = replay,
};

}  // namespace lockstep
