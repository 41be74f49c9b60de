#pragma once

#include <cmath>

namespace lockstep {

// The integer nearest to x, ties to the even one, whatever the rounding mode of the processor.
inline double half_even(double x) {
  const double down = std::floor(x), rest = x - down;
  if (rest < 0.5) return std::copysign(down, x);
  if (rest > 0.5) return std::copysign(down + 1, x);
  return std::copysign(2 * std::floor((down + 1) / 2), x);
}

}  // namespace lockstep
