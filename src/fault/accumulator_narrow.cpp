// acc' = clamp(acc, -2^(bits - 1), 2^(bits - 1) - 1), or acc modulo 2^bits: the accumulator has
// fewer bits than the sum needs.
#include <algorithm>
#include <cstdlib>

#include "fault/fault_eval.h"
#include "fault/fault_nodes.h"

namespace lockstep {
namespace {

constexpr ParamSpec params[] = {
    {"bits", "bits of the accumulator, sign included", 14},
    {"wraps", "0: it saturates; 1: it wraps", 0, Takes::flag()},
};
constexpr int kLeast = 12, kMost = 30, kOther = 16;  // 16 bits are accumulator-16bit's

bool applies(const Site& site) {
  return is_coded_sum(site) && size_of(site.view().input(0).dtype) == 1;
}

std::int32_t stored(std::int32_t acc, int bits, bool wraps) {
  const std::int64_t half = std::int64_t{1} << (bits - 1);
  if (!wraps) return static_cast<std::int32_t>(std::clamp<std::int64_t>(acc, -half, half - 1));
  return static_cast<std::int32_t>(((acc + half) & (2 * half - 1)) - half);
}

Result<void> replay(Replay& r) {
  const double bits = param(params, r.params, "bits");
  if (!(bits >= 2 && bits <= 32))
    return Error{"fault accumulator-narrow", "bits " + std::to_string(bits), "2 .. 32", ""};
  const bool wraps = param(params, r.params, "wraps") != 0;
  return replay_stored(
      r, [=](std::int32_t acc) { return stored(acc, static_cast<int>(bits), wraps); });
}

// The bits that hold every accumulator of these runs; fewer show.
int bits_needed(const Site& site, const Evidence& evidence) {
  std::int64_t most = 0;
  for (const Evidence::Item& item : evidence.items) {
    ChangedNode node(site, item.in);
    node.detours().requant = [&most](std::int32_t acc, const Rescale& scale,
                                     const RequantPolicy& own) {
      most = std::max(most, std::abs(std::int64_t{acc}));
      return own.apply(acc, scale);
    };
    if (!node.eval().ok()) return 0;
    if (item.observed == nullptr)
      break;  // one run says enough where nothing is known of this place
  }
  int bits = 1;
  while ((std::int64_t{1} << (bits - 1)) <= most) ++bits;
  return bits;
}

std::vector<Params> candidates(const Site& site, const Evidence& evidence) {
  std::vector<Params> sets;
  const int needed = evidence.items.empty() ? 0 : bits_needed(site, evidence);
  for (int bits = std::min(needed - 1, kMost); bits >= std::max(kLeast, needed - 5); --bits)
    for (const double wraps : {0.0, 1.0})
      if (bits != kOther) sets.push_back({{"bits", bits}, {"wraps", wraps}});
  return best_sets(site, evidence, std::move(sets), replay, 1);
}

}  // namespace

extern constinit const FaultDef fault_accumulator_narrow = {
    .name = "accumulator-narrow",
    .claim = "the accumulator {wraps?0:saturates|1:wraps} at {bits} bits",
    .advice =
        "split the convolution by groups of input channels and add the parts\n"
        "test with the largest sums that real data make: small ones pass",
    .stage = Stage::node,
    .params = params,
    .applies = applies,
    .candidates = candidates,
    .replay = replay,
    .cost = SumCost::meaning,
};

}  // namespace lockstep
