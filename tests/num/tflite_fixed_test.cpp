#include "num/tflite_fixed.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "num/activation.h"
#include "num/tflite_functions.h"
#include "num/tflite_policies.h"

namespace lockstep {
namespace {

__extension__ typedef __int128 Wide;

TEST(TfliteFixed, high_mul_is_the_nearest_fraction_with_ties_up) {
  EXPECT_EQ(high_mul(1 << 30, 1), 1);     // 0.5
  EXPECT_EQ(high_mul(-(1 << 30), 1), 0);  // -0.5
  EXPECT_EQ(high_mul(INT32_MIN, INT32_MIN), INT32_MAX);
  std::mt19937 random(1);
  for (int i = 0; i < 100000; ++i) {
    const auto a = static_cast<std::int32_t>(random()), b = static_cast<std::int32_t>(random());
    const Wide exact = static_cast<Wide>(a) * b * 2 + (static_cast<Wide>(1) << 31);
    EXPECT_EQ(high_mul(a, b), static_cast<std::int32_t>(exact >> 32));
  }
}

TEST(TfliteFixed, division_by_a_power_goes_away_from_zero_at_ties) {
  EXPECT_EQ(divide_by_power(5, 1), 3);
  EXPECT_EQ(divide_by_power(-5, 1), -3);
  EXPECT_EQ(divide_by_power(-4, 1), -2);
  EXPECT_EQ(divide_by_power(7, 0), 7);
  EXPECT_EQ(divide_by_power(INT32_MIN, 31), -1);
}

TEST(TfliteFixed, division_outside_the_shifts_width_is_what_x86_leaves) {
  EXPECT_EQ(divide_by_any_power(5, 1), 3);
  EXPECT_EQ(divide_by_any_power(0, 35), 1);
  EXPECT_EQ(divide_by_any_power(-1, 35), -1);
  EXPECT_EQ(divide_by_any_power(-300, -5), -1);    // shifted by 27
  EXPECT_EQ(divide_by_any_power(1 << 30, -5), 9);  // 8 and the odd remainder
  EXPECT_EQ(divide_by_any_power(0, 16, 16), 1);    // of 16 bits
  EXPECT_EQ(divide_by_any_power(-7, 16, 16), -1);
}

TEST(TfliteFixed, multiplier_holds_the_real_number_to_31_bits) {
  for (const double real : {0.25, 1.0 / 3, 0.9999999999, 7.5e-5, 3.0}) {
    const Rescale r = fixed_multiplier(real);
    EXPECT_GE(r.multiplier, 1 << 30);
    EXPECT_NEAR(std::ldexp(r.multiplier, r.shift - 31) / real, 1, 1e-9);
  }
  EXPECT_EQ(fixed_multiplier(0).multiplier, 0);
  EXPECT_EQ(fixed_multiplier(1e-12).multiplier, 0);
}

TEST(TfliteFixed, two_roundings_differ_from_one) {
  EXPECT_EQ(rescale_twice(29, fixed_multiplier(0.25)), 8);
}

TEST(TfliteFunctions, approximate_the_real_ones) {
  for (double a = 0; a > -20; a -= 0.37) {
    const auto raw = static_cast<std::int32_t>(a * (1 << 26));
    EXPECT_NEAR(exp_of_negative(raw) / 2147483648.0, std::exp(raw / 67108864.0), 1e-6) << a;
  }
  for (const double x : {1.0, 1.5, 2.0, 37.0, 1000.0}) {
    int power = 0;
    const std::int32_t inverse = reciprocal(static_cast<std::int32_t>(x * (1 << 19)), 12, power);
    EXPECT_NEAR(std::ldexp(inverse / 2147483648.0, -power) * x, 1, 1e-6) << x;
    EXPECT_NEAR(log_of_sum(static_cast<std::int32_t>(x * (1 << 19))) / 67108864.0, std::log(x),
                1e-4)
        << x;
  }
  // N71: the error of a Newton step, from that of the start at the least n; roundings add 3e-8
  // there.
  double newton = -0.5;
  for (int step = 0; step < 5; ++step)
    newton = -1.5 * newton * newton - 0.5 * newton * newton * newton;
  const double bound = std::abs(newton) + 3e-8;
  EXPECT_LT(bound, 1.27e-6);
  for (const std::int32_t x : {2, 3, 8, 100, 65025, 1 << 15, 1 << 29, 1 << 30}) {
    std::int32_t multiplier = 0;
    int shift = 0;
    inverse_sqrt(x, multiplier, shift);
    EXPECT_NEAR(std::ldexp(multiplier / 2147483648.0, shift) * std::sqrt(x), 1, bound) << x;
  }
}

TEST(Activation, clamps_at_the_codes_of_its_bounds) {
  const CodeClamp six = activation_clamp(Activation::relu6, 0.1, -10, -128, 127);
  EXPECT_EQ(six.low, -10);
  EXPECT_EQ(six.high, 50);
  const CodeClamp one = activation_clamp(Activation::relu_n1_to_1, 0.4, 0, -128, 127);
  EXPECT_EQ(one.low, -3);  // 2.5 goes away from zero
  EXPECT_EQ(one.high, 3);
}

TEST(TflitePolicies, hybrid_codes_span_the_row) {
  const std::vector<float> row{-2, 0, 1};
  std::vector<std::int8_t> codes(3);
  float scale = 0;
  std::int32_t zero = 0;
  tflite_hybrid.symmetric(row, codes, scale);
  EXPECT_EQ(codes, (std::vector<std::int8_t>{-127, 0, 64}));
  tflite_hybrid.asymmetric(row, codes, scale, zero);
  EXPECT_EQ(codes[0], -128);
  EXPECT_EQ(codes[1], zero);
  EXPECT_EQ(codes[2], 127);
}

TEST(TflitePolicies, tables_follow_the_real_function_within_one_code) {
  std::vector<std::int32_t> table(256);
  tflite_hard_swish.fill({0.05, 0.02, -3, 7, -128, -128, 127}, table);
  for (int q = -128; q < 128; ++q) {
    const double x = 0.05 * (q + 3), y = x * std::min(std::max(x + 3, 0.0), 6.0) / 6 / 0.02 + 7;
    EXPECT_NEAR(table[static_cast<std::size_t>(q + 128)], std::min(std::max(y, -128.0), 127.0),
                1.01)
        << q;
  }
  std::vector<std::int32_t> wide(65536);
  tflite_tanh.fill({1.0 / 4096, 1.0 / 32768, 0, 0, -32768, -32768, 32767}, wide);
  for (int q = -32768; q < 32768; q += 97)
    EXPECT_NEAR(wide[static_cast<std::size_t>(q + 32768)], 32768 * std::tanh(q / 4096.0), 12) << q;
}

// A unit of the quotient is 4 steps of tanh's result and 2 of the logistic's. The last Newton step
// rounds a product with two integer bits more (half of 4 units) and one that then counts twice (1
// unit): 3 units, and 1 step for each unit that the exponential may be off, at most 2.
TEST(TfliteFunctions, sixteen_bit_logistic_and_tanh_are_as_near_as_their_roundings_allow) {
  for (const int bits : {0, 3, 6})
    for (int raw = -32768; raw <= 32767; raw += 7) {
      const double x = std::ldexp(raw, bits - 15);
      ASSERT_NEAR(tanh_16(static_cast<std::int16_t>(raw), bits), std::tanh(x) * 32768, 14)
          << raw << " " << bits;
      ASSERT_NEAR(logistic_16(static_cast<std::int16_t>(raw), bits), 32768 / (1 + std::exp(-x)), 7)
          << raw << " " << bits;
    }
  EXPECT_EQ(logistic_16(0, 3), 16384);
  EXPECT_EQ(tanh_16(0, 3), 0);
}

}  // namespace
}  // namespace lockstep
