#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace lockstep {

// Bytes that are in use from step `first` to step `last`, both included.
struct LiveRange {
  std::size_t bytes = 0;
  std::size_t first = 0, last = 0;
};

struct ArenaPlan {
  std::vector<std::size_t> offsets;  // of each range
  std::size_t bytes = 0;             // of the whole arena
};

// Places ranges so that those whose steps meet do not overlap: the largest first, each in the
// lowest gap that holds it. Offsets are multiples of `alignment`.
ArenaPlan plan_arena(std::span<const LiveRange> ranges, std::size_t alignment);

}  // namespace lockstep
