#pragma once

#include <cstddef>
#include <cstdint>

namespace lockstep {

// N71 of rows of 8-bit codes that lie one behind the other: code for code what
// tflite_l2_normalization makes of each.
struct LengthRows {
  std::int64_t count = 0;  // codes of a row
  std::int32_t x_zero = 0;
  bool is_unsigned = false;  // x and y
};
void length_rows(const LengthRows& rows, const std::byte* x, std::byte* y, std::int64_t count);

}  // namespace lockstep
