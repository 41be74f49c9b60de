#include "num/tflite_functions.h"

#include <algorithm>

#include "num/tflite_fixed.h"

namespace lockstep {
namespace {

// A fixed-point number is held in 32 or in 16 bits; the steps are the same, each saturates and
// rounds at its own width. Constants are given in 32 bits and rounded to the width (N52).
template <class Raw>
constexpr int width = 8 * sizeof(Raw);

template <class Raw>
constexpr Raw one_q0 = std::numeric_limits<Raw>::max();

template <class Raw>
constexpr Raw constant(std::int32_t q31) {
  return static_cast<Raw>(divide_by_power(q31, 32 - width<Raw>));
}

std::int32_t multiply(std::int32_t a, std::int32_t b) {
  return high_mul(a, b);
}
std::int16_t multiply(std::int16_t a, std::int16_t b) {
  return saturate16((std::int32_t{a} * b + (1 << 14)) >> 15);
}

template <class Raw>
Raw wrapped(std::int64_t v) {
  return static_cast<Raw>(v);
}

template <class Raw>
Raw saturated(std::int64_t v) {
  return static_cast<Raw>(std::clamp<std::int64_t>(v, std::numeric_limits<Raw>::min(),
                                                   std::numeric_limits<Raw>::max()));
}

template <class Raw>
Raw raised(Raw x, int e) {
  return saturated<Raw>(std::int64_t{x} << e);
}

template <class Raw>
Raw lowered(Raw x, int e) {
  return static_cast<Raw>(divide_by_power(x, e));
}

// exp(a) for a in [-1/4, 0) of Q0: the Taylor polynomial of degree four around -1/8.
template <class Raw>
Raw exp_near_zero(Raw a) {
  const Raw at_eighth = constant<Raw>(1895147668);  // exp(-1/8)
  const Raw third = constant<Raw>(715827883);
  const Raw x = wrapped<Raw>(std::int64_t{a} + (std::int64_t{1} << (width<Raw> - 4)));
  const Raw x2 = multiply(x, x);
  const Raw x3 = multiply(x2, x);
  const Raw quarter = lowered(multiply(x2, x2), 2);
  const Raw tail = lowered(
      wrapped<Raw>(std::int64_t{multiply(wrapped<Raw>(std::int64_t{quarter} + x3), third)} + x2),
      1);
  return saturated<Raw>(std::int64_t{at_eighth} +
                        multiply(at_eighth, wrapped<Raw>(std::int64_t{x} + tail)));
}

// (a + b) / 2, ties away from zero.
template <class Raw>
Raw half_sum(Raw a, Raw b) {
  const std::int64_t sum = std::int64_t{a} + b;
  return static_cast<Raw>((sum + (sum >= 0 ? 1 : -1)) / 2);
}

// 2 / (1 + x) with two integer bits, x in [0, 1] of Q0: three Newton steps.
template <class Raw>
Raw newton(Raw x) {
  const Raw half = half_sum(x, one_q0<Raw>);
  constexpr std::int64_t one = std::int64_t{1} << (width<Raw> - 3);
  Raw y = wrapped<Raw>(std::int64_t{constant<Raw>(1515870810)} +
                       multiply(half, constant<Raw>(-1010580540)));  // 48/17 - 32/17 x
  for (int i = 0; i < 3; ++i) {
    const Raw rest = wrapped<Raw>(one - multiply(half, y));
    y = wrapped<Raw>(std::int64_t{y} + raised(multiply(y, rest), 2));
  }
  return y;
}

// exp(a), a <= 0 with `integer_bits` integer bits; beyond five of them, 0 below -32.
template <class Raw>
Raw exp_of(Raw a, int integer_bits) {
  if (a == 0) return one_q0<Raw>;
  const int fraction_bits = width<Raw> - 1 - integer_bits;
  if (integer_bits > 5 && std::int64_t{a} < -(std::int64_t{32} << fraction_bits)) return 0;
  const Raw quarter = static_cast<Raw>(1 << (fraction_bits - 2));
  const Raw low = wrapped<Raw>(std::int64_t{a & (quarter - 1)} - quarter);
  Raw result = exp_near_zero(raised(low, integer_bits));
  const Raw rest = wrapped<Raw>(std::int64_t{low} - a);
  // exp(-2^e) for the bits of the multiple of 1/4 that remains
  constexpr std::int32_t factors[] = {1672461947, 1302514674, 790015084, 290630308,
                                      39332535,   720401,     242};
  for (int e = -2; e < std::min(integer_bits, 5); ++e)
    if ((rest >> (fraction_bits + e)) & 1) result = multiply(result, constant<Raw>(factors[e + 2]));
  return result;
}

}  // namespace

std::int32_t inverse_of_one_plus(std::int32_t x) {
  return saturating_shift(newton(x), 1);
}

std::int32_t quotient_of_one_minus(std::int32_t x) {
  return saturating_shift(wrap32(std::int64_t{newton(x)} - (1 << 29)), 2);
}

std::int32_t exp_of_negative(std::int32_t a, int integer_bits) {
  return exp_of(a, integer_bits);
}

std::int16_t logistic_16(std::int16_t x, int integer_bits) {
  if (x == 0) return 1 << 14;
  const auto minus_size = static_cast<std::int16_t>(x > 0 ? -x : x);
  const std::int16_t positive = raised(newton(exp_of(minus_size, integer_bits)), 1);
  return x > 0 ? positive : static_cast<std::int16_t>(one_q0<std::int16_t> - positive);
}

std::int16_t tanh_16(std::int16_t x, int integer_bits) {
  if (x == 0) return 0;
  const auto minus_size = static_cast<std::int16_t>(x > 0 ? -x : x);
  const std::int16_t y =
      newton(exp_of(minus_size, integer_bits + 1));  // exp(-2|x|): one integer bit more
  const std::int16_t size = raised(static_cast<std::int16_t>(y - (1 << 13)), 2);
  return static_cast<std::int16_t>(x > 0 ? size : -size);
}

std::int32_t reciprocal(std::int32_t x, int integer_bits, int& power) {
  const int headroom = leading_zeros(static_cast<std::uint32_t>(x));
  power = integer_bits - headroom;
  const std::uint32_t normal = headroom >= 32 ? 0u : static_cast<std::uint32_t>(x) << headroom;
  return inverse_of_one_plus(static_cast<std::int32_t>(normal - (std::uint32_t{1} << 31)));
}

std::int32_t log_of_sum(std::int32_t x) {
  constexpr std::int32_t log_2 = 1488522236, root4_half = 1805811301, root_half = 1518500250;
  constexpr std::int32_t quarter_q6 = 1 << 23;
  constexpr int input_bits = 12, unit = 25;  // 2^25 is one in Q6.25
  const auto power_q6 = [](int p) { return saturating_shift(p, unit); };
  // Two ways to write x as a power of two times a number near sqrt(sqrt(1/2)): the better one is
  // kept.
  const int zeros_a = leading_zeros(static_cast<std::uint32_t>(x));
  const std::int32_t r_a =
      saturating_shift(high_mul(saturating_shift(x, zeros_a - 1), root_half), 1);
  const std::int32_t power_a =
      saturate32(std::int64_t{power_q6(input_bits - zeros_a)} + quarter_q6);
  const std::int32_t z_b = high_mul(x, root_half);
  const int zeros_b = leading_zeros(static_cast<std::uint32_t>(z_b)) - 1;
  const std::int32_t r_b = saturating_shift(x, zeros_b);
  const std::int32_t power_b =
      saturate32(std::int64_t{power_q6(input_bits - zeros_b)} - quarter_q6);
  const std::int32_t r = r_a < r_b ? r_a : r_b;
  const std::int32_t power = power_a > power_b ? power_a : power_b;
  // log(r / root4_half) as a quotient of polynomials in q = 2 (r - root4_half)
  const std::int32_t p = half_sum(r, root4_half);
  const std::int32_t q = wrap32(2 * (std::int64_t{r} - root4_half));
  const std::int32_t square = high_mul(q, q);
  const std::int32_t top =
      wrap32(std::int64_t{high_mul(q, r)} + high_mul(high_mul(q, square), 117049297));
  const std::int32_t factor = wrap32(std::int64_t{1057819769} + q + high_mul(127690142, square));
  const std::int32_t bottom = wrap32(std::int64_t{high_mul(p, factor)} + high_mul(638450708, q));
  const std::int32_t quotient = high_mul(divide_by_power(top, 6), inverse_of_one_plus(bottom));
  return saturating_shift(wrap32(std::int64_t{high_mul(power, log_2)} + quotient), 1);
}

void inverse_sqrt(std::int32_t x, std::int32_t& multiplier, int& shift) {
  if (x <= 1) {
    multiplier = one_q0<std::int32_t>;
    shift = 0;
    return;
  }
  int right = 11;
  for (; x >= 1 << 29; ++right) x /= 4;
  const int pairs = (leading_zeros(static_cast<std::uint32_t>(x)) - 1) / 2 - 1;
  right -= pairs;
  x <<= 2 * pairs;
  const std::int32_t q3 = x >> 1;  // Q3.28
  const std::int32_t half = divide_by_power(q3, 1);
  constexpr std::int32_t half_three = (1 << 28) + (1 << 27);
  std::int32_t y = 1 << 28;
  for (int i = 0; i < 5; ++i) {
    const std::int32_t cube = saturating_shift(high_mul(high_mul(y, y), y), 6);
    const std::int32_t next = wrap32(std::int64_t{high_mul(half_three, y)} - high_mul(half, cube));
    y = saturating_shift(next, 3);
  }
  multiplier = high_mul(y, 1518500250);  // sqrt(2) / 2
  if (right < 0) {
    multiplier = wrap32(std::int64_t{multiplier} << -right);
    right = 0;
  }
  shift = -right;
}

}  // namespace lockstep
