#include "num/xnnpack.h"
#include "num/litert_sums.h"

#include <gtest/gtest.h>

#include <array>

#include "num/tflite_resize.h"

namespace lockstep {
namespace {

// ra = 1/2, rb = 1/4: s = 21, factors 2^20 and 2^19; 3/2 + 1/4 = 1.75, and 1.5, which goes up.
TEST(Xnnpack, sums_are_taken_by_integer_factors_and_rounded_half_up) {
  const BinaryState t = xnnpack_add.prepare({0.5, 0.25, 1.0, 0, 0, -3, -128, 127});
  EXPECT_EQ(t.a.multiplier, 1 << 20);
  EXPECT_EQ(t.b.multiplier, 1 << 19);
  EXPECT_EQ(xnnpack_add.apply(3, 1, t), 2 - 3);
  EXPECT_EQ(xnnpack_add.apply(3, 0, t), 2 - 3);
  EXPECT_EQ(xnnpack_add.apply(-3, 0, t), -1 - 3);
  EXPECT_EQ(xnnpack_sub.apply(3, 1, t), 1 - 3);
}

// A ratio of 256 is left to TFLite, whose vectors cut the result to 16 bits: 65536 becomes 0;
// behind them it stays 127.
TEST(Xnnpack, ratios_out_of_range_are_cut_to_16_bits_in_vectors_alone) {
  const BinaryState t = xnnpack_add.prepare({1024.0, 1.0, 1.0, 0, 0, 0, -128, 127});
  EXPECT_TRUE(sums_by_rows(xnnpack_add, t));
  EXPECT_EQ(sum_in_vectors(64, 0, t, GridStep::once), 0);
  EXPECT_EQ(sum_in_vectors(1, 5, t, GridStep::once), 127);
  EXPECT_EQ(xnnpack_add.apply(64, 0, t), 127);
}

// 3 * 5 * 0.5 = 7.5 and 1 * 5 * 0.5 = 2.5: to the even code.
TEST(Xnnpack, products_round_half_to_even) {
  const BinaryState t = xnnpack_mul.prepare({0.5, 1.0, 1.0, 0, 0, 0, -128, 127});
  EXPECT_EQ(xnnpack_mul.apply(3, 5, t), 8);
  EXPECT_EQ(xnnpack_mul.apply(1, 5, t), 2);
}

// 0.3 in 1/256: 77; 5 * 77 + 128 = 513, 513 / 256 = 2.
TEST(Xnnpack, codes_change_scale_by_a_factor_in_256ths) {
  EXPECT_EQ(xnnpack_quantize.quantize(2.5f, 1.0f, 0, -32768, 32767),
            2);  // 16 bits as 8: ties to even
  EXPECT_EQ(xnnpack_quantize.requantize(5, 0.3, 0, 1.0, 0, -128, 127), 2);
  EXPECT_EQ(xnnpack_quantize.requantize(-5, 0.3, 0, 1.0, 0, -128, 127), -2);
  // -3/4: the first rounding makes it -1/2; whole runs under another type go up, the rest away from
  // zero.
  EXPECT_EQ(litert_requantize_runs.requantize(-3, 0.25, 0, 1.0, 0, -128, 127), 0);
  EXPECT_EQ(litert_requantize_runs.requantize_rest(-3, 0.25, 0, 1.0, 0, -128, 127), -1);
}

// 77/256 above zero, -0.5 * ... = 38/256 (he of 38.4) below.
TEST(Xnnpack, leaky_relu_has_a_factor_for_each_side) {
  std::array<std::int32_t, 256> table{};
  xnnpack_leaky_relu.fill({0.3, 1.0, 0, 0, -128, -128, 127, 0.5}, table);
  EXPECT_EQ(table[128 + 100], 30);   // 7700 + 128 = 7828, / 256 = 30.6
  EXPECT_EQ(table[128 - 100], -15);  // -3800 + 128 = -3672, / 256 = -14.3
}

// mean of 1, 2: 1.5 and of 2, 3: 2.5, the zero point of 1 added before rounding: 2.5 and 3.5.
TEST(Xnnpack, the_zero_point_is_added_before_a_mean_is_rounded) {
  const AverageScales s{1.0, 1.0, 0, 1, -128, 127};
  EXPECT_EQ(xnnpack_mean.apply(3, 2, s), 2);
  EXPECT_EQ(xnnpack_mean.apply(5, 2, s), 4);
  EXPECT_EQ(xnnpack_sum.apply(5, 2, s), 6);
}

// -22986 * 0.193 = -4436.47: rounded twice in fixed point it would be -4437.
TEST(Xnnpack, sums_of_16_bit_codes_are_rounded_once_in_float32) {
  const double x = 0.00683143f, y = 0.03539465f;
  EXPECT_EQ(xnnpack_sum.apply(-22986, 1, {x, y, 0, 0, -32768, 32767}), -4436);
  EXPECT_EQ(xnnpack_sum.apply(-3, 1, {0.5, 1, 0, 0, -32768, 32767}), -2);  // away from zero
  EXPECT_EQ(xnnpack_sum.apply(5, 2, {0.5, 1, 1, 7, -32768, 32767}),
            9);  // (5 - 2) / 2 = 1.5, then the zero point
}

// 2 places to 4, half-pixel centres: the second lies at 0.25, a share of 512/2048.
TEST(Xnnpack, resize_mixes_by_shares_in_2048ths) {
  const auto points = xnnpack_bilinear.points({2, 4, false, true});
  ASSERT_EQ(points.size(), 4u);
  EXPECT_EQ(points[1].fine, 512);
  EXPECT_EQ(points[0].fine, 0);
  EXPECT_EQ(xnnpack_bilinear.mix({0, 0, 2, 2}, points[0], points[1]), 1);    // 0.5: half up
  EXPECT_EQ(xnnpack_bilinear.mix({0, 0, -2, -2}, points[0], points[1]), 0);  // -0.5
}

// [0, 255]: codes from -128 on, step 1.
TEST(Xnnpack, rows_of_reals_get_codes_with_a_zero_point) {
  const std::array<float, 3> x{0, 100.5f, 255};
  std::array<std::int8_t, 3> codes{};
  float scale = 0;
  std::int32_t zero = 0;
  xnnpack_hybrid.asymmetric(x, codes, scale, zero);
  EXPECT_EQ(scale, 1);
  EXPECT_EQ(zero, -128);
  EXPECT_EQ(codes[1], 100 - 128);
  EXPECT_EQ(codes[2], 127);
}

}  // namespace
}  // namespace lockstep
