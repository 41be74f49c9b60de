#include "plan/arena.h"

#include <algorithm>
#include <numeric>

namespace lockstep {

ArenaPlan plan_arena(std::span<const LiveRange> ranges, std::size_t alignment) {
  ArenaPlan plan;
  plan.offsets.assign(ranges.size(), 0);
  std::vector<std::size_t> order(ranges.size()), placed;
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(
      order, [&](std::size_t a, std::size_t b) { return ranges[a].bytes > ranges[b].bytes; });
  for (const std::size_t i : order) {
    // `placed` is sorted by offset.
    std::size_t at = 0;
    for (const std::size_t other : placed) {
      if (ranges[other].last < ranges[i].first || ranges[i].last < ranges[other].first) continue;
      if (at + ranges[i].bytes <= plan.offsets[other]) break;
      at = std::max(
          at, (plan.offsets[other] + ranges[other].bytes + alignment - 1) / alignment * alignment);
    }
    plan.offsets[i] = at;
    plan.bytes = std::max(plan.bytes, at + ranges[i].bytes);
    placed.insert(
        std::ranges::upper_bound(placed, at, {}, [&](std::size_t p) { return plan.offsets[p]; }),
        i);
  }
  return plan;
}

}  // namespace lockstep
