#include "num/tflite_functions.h"

#include "num/tflite_fixed.h"

namespace lockstep {
namespace {

// exp(a) for a in [-1/4, 0) of Q0.31: the Taylor polynomial of degree four around -1/8.
std::int32_t exp_near_zero(std::int32_t a) {
  constexpr std::int32_t at_eighth = 1895147668;  // exp(-1/8)
  constexpr std::int32_t third = 715827883;
  const std::int32_t x = a + (1 << 28);
  const std::int32_t x2 = high_mul(x, x);
  const std::int32_t x3 = high_mul(x2, x);
  const std::int32_t quarter = divide_by_power(high_mul(x2, x2), 2);
  const std::int32_t tail = divide_by_power(high_mul(quarter + x3, third) + x2, 1);
  return saturate32(std::int64_t{at_eighth} + high_mul(at_eighth, x + tail));
}

// (a + b) / 2, ties away from zero.
std::int32_t half_sum(std::int32_t a, std::int32_t b) {
  const std::int64_t sum = std::int64_t{a} + b;
  return static_cast<std::int32_t>((sum + (sum >= 0 ? 1 : -1)) / 2);
}

constexpr std::int32_t one_q0 = std::numeric_limits<std::int32_t>::max();

// 2 / (1 + x) in Q2.29, x in [0, 1] of Q0.31: three Newton steps.
std::int32_t newton(std::int32_t x) {
  const std::int32_t half = half_sum(x, one_q0);
  std::int32_t y = 1515870810 + high_mul(half, -1010580540);  // 48/17 - 32/17 x, in Q2.29
  for (int i = 0; i < 3; ++i) {
    const std::int32_t rest = (1 << 29) - high_mul(half, y);
    y = wrap32(std::int64_t{y} + saturating_shift(high_mul(y, rest), 2));
  }
  return y;
}

}  // namespace

std::int32_t inverse_of_one_plus(std::int32_t x) { return saturating_shift(newton(x), 1); }

std::int32_t quotient_of_one_minus(std::int32_t x) { return saturating_shift(wrap32(std::int64_t{newton(x)} - (1 << 29)), 2); }

std::int32_t exp_of_negative(std::int32_t a, int integer_bits) {
  if (a == 0) return one_q0;
  const int fraction_bits = 31 - integer_bits;
  const std::int32_t quarter = 1 << (fraction_bits - 2);
  const std::int32_t low = (a & (quarter - 1)) - quarter;
  std::int32_t result = exp_near_zero(saturating_shift(low, integer_bits));
  const std::int32_t rest = low - a;
  // exp(-2^e) for the bits of the multiple of 1/4 that remains
  constexpr std::int32_t factors[] = {1672461947, 1302514674, 790015084, 290630308,
                                      39332535,   720401,     242};
  for (int e = -2; e < integer_bits; ++e)
    if ((rest >> (fraction_bits + e)) & 1) result = high_mul(result, factors[e + 2]);
  return result;
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
    multiplier = one_q0;
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
