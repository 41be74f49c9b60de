#include "num/resize.h"

#include <gtest/gtest.h>

namespace lockstep {
namespace {

constexpr ResizedAxis doubled{2, 4, 2};

TEST(Resize, places_differ_by_the_mode) {
  EXPECT_EQ(original_place(Coordinates::half_pixel, 1, doubled), 0.25f);
  EXPECT_EQ(original_place(Coordinates::asymmetric, 1, doubled), 0.5f);
  EXPECT_EQ(original_place(Coordinates::align_corners, 3, doubled), 1.f);
  EXPECT_EQ(original_place(Coordinates::tf_half_pixel_for_nn, 1, doubled), 0.75f);
  EXPECT_EQ(original_place(Coordinates::half_pixel_symmetric, 1, doubled), 0.25f);
  EXPECT_EQ(original_place(Coordinates::tf_crop_and_resize, 3, {2, 4, 2, 0.5f, 1}), 1.f);
}

TEST(Resize, ties_go_where_the_mode_says) {
  EXPECT_EQ(nearest_element(Nearest::round_prefer_floor, 0.5f, false), 0);
  EXPECT_EQ(nearest_element(Nearest::round_prefer_ceil, 0.5f, false), 1);
  EXPECT_EQ(nearest_element(Nearest::simple, 1.2f, true), 2);
  EXPECT_EQ(nearest_element(Nearest::simple, 1.8f, false), 1);
}

TEST(Resize, cubic_weights_sum_to_one_inside) {
  float sum = 0;
  for (const Tap& tap : filter_taps(1.3f, {2, 8, 4}, true, -0.75f, false, false)) sum += tap.weight;
  EXPECT_FLOAT_EQ(sum, 1);
}

TEST(Resize, a_widened_tent_reaches_further) {  // scale 1/2: four elements, 1/8 3/8 3/8 1/8
  const auto taps = filter_taps(2.5f, {0.5f, 3, 6}, false, 0, true, false);
  ASSERT_EQ(taps.size(), 4u);
  EXPECT_FLOAT_EQ(taps[0].weight, 0.125f);
  EXPECT_FLOAT_EQ(taps[1].weight, 0.375f);
}

// Shares of 1/3 are 341/1024; -45.6 and 45.6 are both cut toward zero.
TEST(Resize, codes_channels_last_are_mixed_in_1024ths_and_cut_toward_zero) {
  const auto [first, second] = linear_neighbours(1.f / 3, 4);
  EXPECT_EQ(fine_share({first, second}), 341);
  EXPECT_EQ(fine_share({first}), 0);
  EXPECT_EQ(fine_mix({30, 77, 30, 77}, 500, 341), 45);
  EXPECT_EQ(fine_mix({-30, -77, -30, -77}, 500, 341), -45);
  EXPECT_EQ(fine_mix({127, 127, 127, 127}, 512, 512), 127);
}

}  // namespace
}  // namespace lockstep
