#pragma once

#include <cmath>
#include <cstdint>
#include <span>

namespace lockstep {

// How ST's compiler chooses its constants (atonn 1.1.1-14, full optimization): what a program is
// checked against and what the arithmetic is predicted with. docs/neural-art.md, "Constants".

// Convolution shift: max(0, ceil(log2(largest |sum of a kernel's codes| * 255)) - 15).
inline int npu_conv_shift(double largest_kernel_sum) {
  if (largest_kernel_sum <= 0) return 0;
  const int bits = static_cast<int>(std::ceil(std::log2(largest_kernel_sum * 255.0))) - 15;
  return bits > 0 ? bits : 0;
}

// Two-operand Add: final shift 14 - floor(log2(larger ratio)); both coefficients in [2^14, 2^15), the
// smaller ratio with a right shift of its own; the constant truncated where it fits 16 bits, else rounded
// with the least left shift that makes it fit.
struct NpuAddConstants {
  std::int64_t a = 0, b = 0, c = 0;
  int a_shift = 0, b_shift = 0, c_shift = 0, shift = 0;
};
inline NpuAddConstants npu_add_constants(double a_scale, std::int64_t a_zero, double b_scale, std::int64_t b_zero,
                                         double y_scale, std::int64_t y_zero) {
  NpuAddConstants k;
  const double ra = a_scale / y_scale, rb = b_scale / y_scale;
  k.shift = 14 - static_cast<int>(std::floor(std::log2(ra > rb ? ra : rb)));
  const auto lift = [&](double ratio, int& own) {
    for (own = 0; own < 31 && std::ldexp(ratio, k.shift + own) < 16383.5;) ++own;
    return static_cast<std::int64_t>(std::nearbyint(std::ldexp(ratio, k.shift + own)));
  };
  k.a = lift(ra, k.a_shift);
  k.b = lift(rb, k.b_shift);
  const double c = std::ldexp(static_cast<double>(y_zero) - static_cast<double>(a_zero) * ra - static_cast<double>(b_zero) * rb, k.shift);
  const auto shifted = [&] { return k.c_shift == 0 ? std::trunc(c) : std::floor(std::ldexp(c, -k.c_shift) + 0.5); };
  while (k.c_shift < 31 && std::abs(shifted()) > 32767) ++k.c_shift;
  k.c = static_cast<std::int64_t>(shifted());
  return k;
}

}  // namespace lockstep
