#pragma once

#include <cstddef>
#include <cstdint>

#include "num/numerics.h"

namespace lockstep {

// N40 of many windows at once, a window each channel: codes of one tap are added to `sums` (reals,
// 0 before the first tap), then sums over `n` taps become codes.
struct AverageOfReals {
  bool is_signed;
  AverageScales scales;    // of y with `shift` in zero point and limits
  std::int32_t shift = 0;  // taken off what becomes of it
  void add(const std::byte* x, std::int64_t channels, float* sums) const;
  void finish(const float* sums, std::int32_t n, std::int64_t channels, std::byte* y) const;
};

}  // namespace lockstep
