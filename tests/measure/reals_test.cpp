#include "measure/reals.h"

#include <gtest/gtest.h>

namespace lockstep {
namespace {

TEST(Reals, are_scale_times_code_less_zero) {
  const std::vector<std::uint8_t> codes = {0, 128, 255};
  const Tensor t = Tensor::of<std::uint8_t>({3}, std::span<const std::uint8_t>(codes));
  EXPECT_EQ(reals_of(t, {{0.5}, {128}, -1}), (std::vector<double>{-64, 0, 63.5}));
  EXPECT_EQ(reals_of(t, {}), (std::vector<double>{0, 128, 255}));
}

TEST(Reals, of_a_middle_channel_axis_use_that_channels_scale) {
  const std::vector<std::int8_t> codes = {1, 1, 1, 1, 1, 1, 1, 1};
  const Tensor t = Tensor::of<std::int8_t>({2, 2, 2}, std::span<const std::int8_t>(codes));
  EXPECT_EQ(reals_of(t, {{1, 2}, {0, -1}, 1}), (std::vector<double>{1, 1, 4, 4, 1, 1, 4, 4}));
}

TEST(Reals, of_floats_are_the_floats) {
  const std::vector<float> x = {1.5f, -2};
  EXPECT_EQ(reals_of(Tensor::of<float>({2}, std::span<const float>(x)), {{0.5}, {1}, -1}),
            (std::vector<double>{1.5, -2}));
}

}  // namespace
}  // namespace lockstep
