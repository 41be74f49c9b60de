#pragma once

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>

#include "num/fixed.h"
#include "num/numerics.h"

namespace lockstep {

// The fixed-point steps that TFLite's reference kernels share. docs/numerics.md N50 to N54.

// The low 32 bits, as int32 arithmetic of the runtime leaves them when it overflows.
constexpr std::int32_t wrap32(std::int64_t v) {
  return static_cast<std::int32_t>(static_cast<std::uint32_t>(v));
}

// N51: floor(a*b / 2^31 + 1/2), nearest, ties toward +inf; -2^31 * -2^31 saturates.
constexpr std::int32_t high_mul(std::int32_t a, std::int32_t b) {
  return saturate32((std::int64_t{a} * b + (std::int64_t{1} << 30)) >> 31);
}

// N52: x / 2^e, nearest, ties away from zero; 0 <= e <= 31.
constexpr std::int32_t divide_by_power(std::int32_t x, int e) {
  const std::int64_t mask = (std::int64_t{1} << e) - 1;
  const std::int64_t threshold = (mask >> 1) + (x < 0 ? 1 : 0);
  return static_cast<std::int32_t>((std::int64_t{x} >> e) + ((x & mask) > threshold ? 1 : 0));
}

// N52 where e lies outside [0, bits): what the runtime's shifts do on x86, whose counts are those
// modulo 32; a remainder then counts as above one half unless x is below zero.
constexpr std::int32_t divide_by_any_power(std::int32_t x, int e, int bits = 32) {
  if (e >= 0 && e < bits) return divide_by_power(x, e);
  return (x >> (e & 31)) + (x >= 0 ? 1 : 0);
}

// x * 2^e, saturated; e >= 0.
constexpr std::int32_t saturating_shift(std::int32_t x, int e) {
  return saturate32(std::int64_t{x} << e);
}

// N50: m * 2^shift / 2^31 nearest to the real multiplier; zero when it is below 2^-32.
inline Rescale fixed_multiplier(double real) {
  Rescale r;
  if (real == 0) return r;
  int shift = 0;
  auto m = static_cast<std::int64_t>(std::round(std::frexp(real, &shift) * 2147483648.0));
  if (m == std::int64_t{1} << 31) m /= 2, ++shift;
  if (shift < -31) return r;
  r.multiplier = static_cast<std::int32_t>(m);
  r.shift = shift;
  return r;
}

// N53: x times the multiplier, rounded twice: (N51), then (N52).
constexpr std::int32_t rescale_twice(std::int32_t x, std::int32_t multiplier, int shift) {
  const std::int32_t wide = shift > 0 ? wrap32(std::int64_t{x} << shift) : x;
  return divide_by_power(high_mul(wide, multiplier), shift > 0 ? 0 : -shift);
}
constexpr std::int32_t rescale_twice(std::int32_t x, const Rescale& r) {
  return rescale_twice(x, r.multiplier, r.shift);
}

// N93: x times the multiplier, rounded once, ties toward +inf.
constexpr std::int32_t rescale_once(std::int32_t x, const Rescale& r) {
  const int down = 31 - r.shift;
  return wrap32((std::int64_t{x} * r.multiplier + (std::int64_t{1} << (down - 1))) >> down);
}

// N54: a 64-bit accumulator times the multiplier cut to 16 bits, rounded once, ties toward +inf.
constexpr std::int32_t rescale_wide(std::int64_t x, const Rescale& r) {
  const std::int64_t m = r.multiplier < 0x7fff0000 ? (r.multiplier + (1 << 15)) >> 16 : 0x7fff;
  const int down = 15 - r.shift;
  return static_cast<std::int32_t>((x * m + (std::int64_t{1} << (down - 1))) >> down);
}

// N79: a code (zero point taken off) on the grid on which the runtime compares; the scale is
// below 1.
constexpr std::int32_t comparable(std::int32_t code, const Rescale& scale) {
  return divide_by_power(high_mul(code * 256, scale.multiplier), -scale.shift);
}

// Nearest integer, ties away from zero, of a float32 quotient: the runtime's conversion of reals.
// Beyond int32 (and for NaN) the conversion of x86 yields the least int32.
inline std::int32_t nearest_away(float real) {
  const float r = std::round(real);
  if (!(r >= -2147483648.0f && r < 2147483648.0f)) return std::numeric_limits<std::int32_t>::min();
  return static_cast<std::int32_t>(r);
}

// Leading zero bits of a positive number.
constexpr int leading_zeros(std::uint32_t x) {
  return std::countl_zero(x);
}

}  // namespace lockstep
