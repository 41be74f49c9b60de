#pragma once

#include <algorithm>
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

// Truncated where it fits 16 bits, else rounded with the least left shift that makes it fit.
struct NpuConstant {
  std::int64_t c = 0;
  int shift = 0;
};
inline NpuConstant npu_constant(double exact) {
  NpuConstant k;
  const auto shifted = [&] {
    return k.shift == 0 ? std::trunc(exact) : std::floor(std::ldexp(exact, -k.shift) + 0.5);
  };
  while (k.shift < 31 && std::abs(shifted()) > 32767) ++k.shift;
  k.c = static_cast<std::int64_t>(shifted());
  return k;
}

// Two-operand Add: final shift 14 - floor(log2(larger ratio)); both coefficients in [2^14, 2^15),
// the smaller ratio with a right shift of its own; the constant by npu_constant.
struct NpuAddConstants {
  std::int64_t a = 0, b = 0, c = 0;
  int a_shift = 0, b_shift = 0, c_shift = 0, shift = 0;
};
inline NpuAddConstants npu_add_constants(double a_scale, std::int64_t a_zero, double b_scale,
                                         std::int64_t b_zero, double y_scale, std::int64_t y_zero) {
  NpuAddConstants k;
  const double ra = a_scale / y_scale, rb = b_scale / y_scale;
  k.shift = 14 - static_cast<int>(std::floor(std::log2(ra > rb ? ra : rb)));
  const auto lift = [&](double ratio, int& own) {
    for (own = 0; own < 31 && std::ldexp(ratio, k.shift + own) < 16383.5;) ++own;
    return static_cast<std::int64_t>(std::nearbyint(std::ldexp(ratio, k.shift + own)));
  };
  k.a = lift(ra, k.a_shift);
  k.b = lift(rb, k.b_shift);
  const NpuConstant c =
      npu_constant(std::ldexp(static_cast<double>(y_zero) - static_cast<double>(a_zero) * ra -
                                  static_cast<double>(b_zero) * rb,
                              k.shift));
  k.c = c.c, k.c_shift = c.shift;
  return k;
}

// Product of two tensors in three units: P = a * b in 16 bits; centred = ((2^14 P >> 7) + left * a)
// / 2^7 = a * (b - b_zero); code = ((m * centred >> 7) + (b_factor * b >> b_shift) + (c <<
// c_shift)) / 2^shift. Seen in compiled networks for zero points of -128 (7 of 7 equal), where left
// = 2^14 and b_factor = m; other zero points are assumed.
struct NpuMulConstants {
  std::int64_t m = 0, left = 0, b_factor = 0, c = 0;
  int b_shift = 0, c_shift = 0, shift = 0;
};
inline NpuMulConstants npu_mul_constants(double ratio, std::int64_t a_zero, std::int64_t b_zero,
                                         std::int64_t y_zero) {
  NpuMulConstants k;
  const int lift = std::min(std::max(14 - static_cast<int>(std::floor(std::log2(ratio))), -16), 54);
  k.shift = lift - 7;
  k.m = static_cast<std::int64_t>(std::floor(std::ldexp(ratio, lift) + 0.5));
  k.left = -128 * b_zero;
  if (a_zero != 0) {
    const double factor = -static_cast<double>(a_zero) * std::ldexp(ratio, k.shift);
    while (k.b_shift < 31 && std::abs(std::ldexp(factor, k.b_shift)) < 16383.5) ++k.b_shift;
    k.b_factor = static_cast<std::int64_t>(std::floor(std::ldexp(factor, k.b_shift) + 0.5));
  }
  const NpuConstant c =
      npu_constant(std::ldexp(static_cast<double>(y_zero) +
                                  ratio * static_cast<double>(a_zero) * static_cast<double>(b_zero),
                              k.shift));
  k.c = c.c, k.c_shift = c.shift;
  return k;
}

}  // namespace lockstep
