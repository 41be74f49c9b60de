#include "measure/st_metrics.h"

#include <gtest/gtest.h>

#include <cmath>

namespace lockstep {
namespace {

Tensor floats(Shape shape, std::vector<float> x) {
  return Tensor::of<float>(std::move(shape), std::span<const float>(x));
}

// r = (1, 2, 3, 4), p = (1, 2, 3, 2): d = r - p = (0, 0, 0, 2)
TEST(StMetrics, follow_their_definitions_by_hand) {
  StMeter meter;
  ASSERT_TRUE(meter.add(floats({1, 4}, {1, 2, 3, 4}), floats({1, 4}, {1, 2, 3, 2}), {}).ok());
  const StMetrics m = meter.metrics();
  EXPECT_DOUBLE_EQ(m.rmse, 1);
  EXPECT_DOUBLE_EQ(m.mae, 0.5);
  EXPECT_NEAR(m.l2r, 2 / std::sqrt(18.0), 1e-6);  // over the device's norm, not the reference's
  EXPECT_DOUBLE_EQ(m.mean, 0.5);                  // reference minus device
  EXPECT_NEAR(m.std, 1, 1e-12);                   // (3 * 0.25 + 2.25) / 3, N - 1
  EXPECT_NEAR(m.snr, 10 * std::log10(30.0 / 4), 1e-12);
  EXPECT_NEAR(m.nse, 1 - 1 / (5.0 / 3), 1e-6);  // var of r with N - 1 is 5/3
  EXPECT_NEAR(m.cos, 22 / std::sqrt(30.0 * 18), 1e-12);
  ASSERT_TRUE(m.acc.has_value());
  EXPECT_EQ(*m.acc, 0);  // argmax 3 against 2
}

TEST(StMetrics, acc_counts_rows_of_padded_classifiers_too) {
  StMeter meter;
  ASSERT_TRUE(
      meter.add(floats({2, 1, 1, 2}, {1, 0, 0, 1}), floats({2, 1, 1, 2}, {3, 0, 1, 0}), {}).ok());
  EXPECT_DOUBLE_EQ(*meter.metrics().acc, 0.5);
  StMeter image;
  ASSERT_TRUE(image.add(floats({1, 2, 2}, {1, 0, 0, 1}), floats({1, 2, 2}, {1, 0, 0, 1}), {}).ok());
  EXPECT_FALSE(image.metrics().acc.has_value());
}

TEST(StMetrics, dequantize_both_sides_with_the_models_own_scale) {
  const std::vector<std::int8_t> r = {0, 10, 20}, p = {0, 10, 18};
  StMeter meter;
  const QuantParams q{{0.5}, {0}, -1};
  ASSERT_TRUE(meter
                  .add(Tensor::of<std::int8_t>({1, 3}, std::span<const std::int8_t>(r)),
                       Tensor::of<std::int8_t>({1, 3}, std::span<const std::int8_t>(p)), q)
                  .ok());
  EXPECT_NEAR(meter.metrics().rmse, std::sqrt(1.0 / 3), 1e-12);
}

TEST(StMetrics, have_no_guard_where_st_has_none) {
  StMeter meter;
  ASSERT_TRUE(meter.add(floats({1, 2}, {0, 0}), floats({1, 2}, {0, 0}), {}).ok());
  EXPECT_TRUE(std::isnan(meter.metrics().cos));
  EXPECT_EQ(meter.metrics().l2r, 0);
}

}  // namespace
}  // namespace lockstep
