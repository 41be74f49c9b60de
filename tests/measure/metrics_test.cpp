#include "measure/metrics.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace lockstep {
namespace {

template <class T>
Tensor tensor(std::vector<T> elements, Shape shape = {}) {
  if (shape.empty()) shape = {static_cast<std::int64_t>(elements.size())};
  return Tensor::of<T>(std::move(shape), std::span<const T>(elements));
}

const QuantParams tenth{{0.1}, {-3}, -1};

TEST(Metrics, of_equal_codes_say_equal) {
  const Tensor x = tensor<std::int8_t>({-3, 7, 17});
  const Metrics m = *measure(x, x, tenth);
  EXPECT_EQ(m.count, 3);
  EXPECT_TRUE(m.identical());
  EXPECT_DOUBLE_EQ(m.cosine, 1);
  EXPECT_EQ(m.rmse, 0);
  EXPECT_TRUE(m.has_lsb);
  EXPECT_EQ(m.max_lsb, 0);
  EXPECT_TRUE(std::isinf(m.sqnr_db));
}

// r = (0, 1, 2), p = (0.1, 1, 1.8): d = (0.1, 0, -0.2)
TEST(Metrics, follow_their_formulas_by_hand) {
  const Metrics m =
      *measure(tensor<std::int8_t>({-3, 7, 17}), tensor<std::int8_t>({-2, 7, 15}), tenth);
  EXPECT_EQ(m.differing, 2);
  EXPECT_EQ(m.max_lsb, 2);
  EXPECT_EQ(m.beyond_one_lsb, 1);
  EXPECT_NEAR(m.mean_lsb, -1.0 / 3, 1e-12);
  EXPECT_NEAR(m.mae, 0.1, 1e-12);
  EXPECT_NEAR(m.rmse, std::sqrt(0.05 / 3), 1e-12);
  EXPECT_NEAR(m.max_abs, 0.2, 1e-12);
  EXPECT_NEAR(m.cosine, 4.6 / (std::sqrt(5.0) * std::sqrt(4.25)), 1e-12);
  EXPECT_NEAR(m.sqnr_db, 10 * std::log10(5 / 0.05), 1e-9);
  EXPECT_NEAR(m.share_differing(), 2.0 / 3, 1e-12);
}

TEST(Metrics, take_each_channels_own_step) {
  const QuantParams channels{{0.1, 10}, {0, 0}, 0};
  const Metrics m = *measure(tensor<std::int8_t>({1, 1, 1, 1}, {2, 2}),
                             tensor<std::int8_t>({2, 1, 1, 2}, {2, 2}), channels);
  EXPECT_EQ(m.max_lsb, 1);
  EXPECT_NEAR(m.max_abs, 10, 1e-12);
  EXPECT_NEAR(m.mae, 10.1 / 4, 1e-12);
}

TEST(Metrics, of_a_dequantized_device_against_codes_count_in_steps) {
  Meter meter;
  // codes -3, 7, 17 are 0, 1, 2; the device says 0.001 (the same code), 1.06 (half a step on), 1.5
  ASSERT_TRUE(
      meter.add(tensor<std::int8_t>({-3, 7, 17}), tenth, tensor<float>({0.001f, 1.06f, 1.5f}), {})
          .ok());
  const Metrics m = meter.metrics();
  EXPECT_EQ(m.differing, 2);
  EXPECT_NEAR(m.max_lsb, 5, 1e-6);
}

TEST(Metrics, of_codes_under_another_scale_compare_what_they_mean) {
  Meter meter;
  ASSERT_TRUE(meter
                  .add(tensor<std::int8_t>({-3, 7}), tenth, tensor<std::uint8_t>({10, 15}),
                       QuantParams{{0.2}, {10}, -1})
                  .ok());
  EXPECT_EQ(meter.metrics().differing, 0);
}

TEST(Metrics, add_up_over_samples) {
  Meter meter;
  ASSERT_TRUE(meter.add(tensor<float>({1, 0}), {}, tensor<float>({1, 0}), {}).ok());
  ASSERT_TRUE(meter.add(tensor<float>({0, 1}), {}, tensor<float>({0, 3}), {}).ok());
  const Metrics m = meter.metrics();
  EXPECT_EQ(m.count, 4);
  EXPECT_EQ(m.differing, 1);
  EXPECT_FALSE(m.has_lsb);
  EXPECT_DOUBLE_EQ(m.rmse, 1);
}

TEST(Metrics, count_nan_once_and_keep_the_rest_finite) {
  const float nan = std::numeric_limits<float>::quiet_NaN(),
              inf = std::numeric_limits<float>::infinity();
  const Metrics m = *measure(tensor<float>({1, 2, inf, 4}), tensor<float>({1, nan, inf, 4}), {});
  EXPECT_EQ(m.not_finite, 1);
  EXPECT_EQ(m.differing, 1);
  EXPECT_EQ(m.rmse, 0);
  EXPECT_DOUBLE_EQ(m.cosine, 1);
}

TEST(Metrics, of_zero_vectors_have_a_cosine) {
  EXPECT_EQ(measure(tensor<float>({0, 0}), tensor<float>({0, 0}), {})->cosine, 1);
  EXPECT_EQ(measure(tensor<float>({0, 0}), tensor<float>({1, 0}), {})->cosine, 0);
}

TEST(Metrics, refuse_tensors_of_unequal_size) {
  const auto refused = measure(tensor<float>({1, 2, 3}), tensor<float>({1, 2}), {});
  ASSERT_FALSE(refused.ok());
  EXPECT_NE(refused.error().what.find("[2]"), std::string::npos);
}

}  // namespace
}  // namespace lockstep
