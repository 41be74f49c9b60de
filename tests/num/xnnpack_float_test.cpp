#include "num/xnnpack_float.h"

#include <gtest/gtest.h>

#include "arith/arith.h"

namespace lockstep {
namespace {

// 1 + 2^-12 squared is 1 + 2^-11 + 2^-24: the last bit is lost where the product is rounded by
// itself.
TEST(XnnpackFloat, a_product_is_fused_into_the_sum_that_begins_at_the_bias) {
  const float a[] = {1.0f + 0x1p-12f, 2.0f}, b[] = {1.0f + 0x1p-12f, 0.5f};
  EXPECT_EQ(fused_from(-1.0f, a, 1, b, 1, 1), 0x1p-11f + 0x1p-24f);
  EXPECT_EQ(fused_from(3.0f, a + 1, 1, b + 1, 1, 1), 4.0f);
  EXPECT_EQ(fused_from(7.0f, a, 1, b, 1, 0), 7.0f);
}

// 3 * (1 + 2^-23) is rounded to 3 + 2^-21 first; the second scale and the bias are one step.
TEST(XnnpackFloat, a_sum_of_codes_meets_its_scales_one_by_one_and_the_bias_by_a_fused_step) {
  EXPECT_EQ(fused_hybrid(3, 1 + 0x1p-23f, 1, -3), 0x1p-21f);
  EXPECT_EQ(fused_hybrid(1, 1 + 0x1p-12f, 1 + 0x1p-12f, -1), 0x1p-11f + 0x1p-24f);
}

TEST(XnnpackFloat, only_the_arithmetic_of_the_delegate_sums_so) {
  for (const char* const name : {"tflite", "tflite-ref", "cmsis-nn", "ort", "float"})
    EXPECT_EQ(sums_from_bias(*find_arithmetic(name)->numerics), std::string_view(name) == "tflite")
        << name;
}

// Sixteen lanes: 1 and 2^-24 meet only when the lanes are joined, where they are lost one by one in
// order.
TEST(XnnpackFloat, a_reduced_last_axis_is_summed_in_lanes_and_another_in_order) {
  std::vector<float> x(32, 0x1p-24f), y(1);
  x[0] = 1;
  const std::uint8_t all[] = {1};
  const std::int64_t extent[] = {32};
  xnnpack_float_reduce(x, extent, all, 1, y);
  EXPECT_EQ(y[0], 1 + 0x1p-20f + 0x1p-21f + 0x1p-22f + 0x1p-23f);
  const std::uint8_t first[] = {1, 0};
  const std::int64_t column[] = {32, 1};
  xnnpack_float_reduce(x, column, first, 0.5f, y);
  EXPECT_EQ(y[0], 0.5f);
}

TEST(XnnpackFloat, taps_of_a_window_are_joined_in_pairs) {
  EXPECT_EQ(xnnpack_float_nine({1, 2, 3, 4, 5, 6, 7, 8, 9}), 45);
  EXPECT_EQ(xnnpack_float_nine({1, 0x1p-24f, 0, 0, 0, 0, 0, 0, 0x1p-24f}),
            1);  // 0, 1, 8 by themselves
  EXPECT_EQ(xnnpack_float_nine({1, 0, 0x1p-24f, 0x1p-24f, 0, 0, 0, 0, 0}), 1 + 0x1p-23f);
}

TEST(XnnpackFloat, a_pixel_is_mixed_along_the_rows_first) {
  EXPECT_EQ(xnnpack_float_bilinear({0, 4, 2, 8}, 0.5f, 0.25f), 2.75f);
}

TEST(XnnpackFloat, functions_meet_their_limits) {
  const std::vector<float> x{0, -0.0f, 100, -100, -200, 1};
  std::vector<float> y(x.size());
  xnnpack_functions.sigmoid(x, y, 0, 0);
  EXPECT_EQ(y[0], 0.5f);
  EXPECT_EQ(y[1], 0.5f);
  EXPECT_EQ(y[2], 1);
  EXPECT_EQ(y[4], 0);
  EXPECT_NEAR(y[3], 3.7835e-44, 3e-45);
  EXPECT_NEAR(y[5], 0.7310586, 1e-7);
  xnnpack_functions.tanh(x, y, 0, 0);
  EXPECT_EQ(y[2], 1);
  EXPECT_NEAR(y[5], 0.7615942, 1e-7);
  xnnpack_functions.elu(x, y, 1, 0);
  EXPECT_EQ(y[2], 100);
  EXPECT_EQ(y[3], -1);
  xnnpack_float_softmax(std::vector<float>{1, 1, -200}, std::span(y).first(3));
  EXPECT_EQ(y[0], 0.5f);
  EXPECT_EQ(y[2], 0);
}

}  // namespace
}  // namespace lockstep
