// acc' = sat16((acc + half) >> k) << k, or the same modulo 2^16: the accumulator has 16 bits.
#include <algorithm>

#include "fault/fault_eval.h"
#include "fault/fault_nodes.h"

namespace lockstep {
namespace {

constexpr ParamSpec params[] = {
    {"shift", "bits that are dropped before the accumulator is stored", 0},
    {"wraps", "0: it saturates; 1: it wraps", 0, Takes::flag()},
};

bool applies(const Site& site) {
  return is_coded_sum(site) && size_of(site.view().input(0).dtype) == 1;
}

std::int32_t in_16_bits(std::int32_t acc, int shift, bool wraps) {
  const std::int64_t half = shift > 0 ? std::int64_t{1} << (shift - 1) : 0;
  const std::int64_t stored = (acc + half) >> shift;
  const std::int64_t kept =
      wraps ? static_cast<std::int16_t>(stored) : std::clamp<std::int64_t>(stored, -32768, 32767);
  return static_cast<std::int32_t>(kept * (std::int64_t{1} << shift));
}

Result<void> replay(Replay& r) {
  const double shift = param(params, r.params, "shift");
  if (!(shift >= 0 && shift <= 15))
    return Error{"fault accumulator-16bit", "shift " + std::to_string(shift), "0 .. 15", ""};
  const bool wraps = param(params, r.params, "wraps") != 0;
  return replay_stored(
      r, [=](std::int32_t acc) { return in_16_bits(acc, static_cast<int>(shift), wraps); });
}

std::vector<Params> candidates(const Site& site, const Evidence& evidence) {
  std::vector<Params> sets;
  for (double shift = 0; shift <= 8; ++shift)
    for (const double wraps : {0.0, 1.0}) sets.push_back({{"shift", shift}, {"wraps", wraps}});
  return best_sets(site, evidence, std::move(sets), replay);
}

}  // namespace

extern constinit const FaultDef fault_accumulator_16bit = {
    .name = "accumulator-16bit",
    .claim =
        "the accumulator {wraps?0:saturates|1:wraps} at 16 bits{shift?0:|:, after a shift by "
        "{shift#bit}}",
    .advice =
        "split the convolution by groups of input channels and add the parts\n"
        "calibrate with headroom, or keep weights within 7 bits; test with real weights and data, "
        "random ones pass",
    .stage = Stage::node,
    .params = params,
    .applies = applies,
    .candidates = candidates,
    .replay = replay,
    .cost = SumCost::each_product,
};

}  // namespace lockstep
