#include "num/resize_filter.h"

#include <gtest/gtest.h>

#include <numeric>

namespace lockstep {
namespace {

TEST(ResizeFilter, weights_sum_to_one_and_edges_take_what_falls_beside) {
  const ResizedAxis axis{2, 8, 4};
  for (const bool exclude : {false, true}) {
    const auto places = filtered_places(axis, Coordinates::half_pixel, true, -0.75f, exclude);
    ASSERT_EQ(places.size(), 8u);
    EXPECT_EQ(places[0].first, 0);
    for (const FilteredPlace& p : places)
      EXPECT_NEAR(std::accumulate(p.weight.begin(), p.weight.end(), 0.0), 1, 1e-6);
  }
  EXPECT_TRUE(filtered_places(axis, Coordinates::half_pixel, true, -0.75f, false)[0].beside);
}

TEST(ResizeFilter, a_shrinking_axis_widens_its_filter) {
  const auto places = filtered_places({0.25f, 2, 8}, Coordinates::half_pixel, false, 0, false);
  EXPECT_EQ(places[0].weight.size(), 6u);
}

TEST(ResizeFilter, codes_are_held_between_0_and_255) {
  EXPECT_EQ(filtered_code(std::int64_t{-5} << 22), 0);
  EXPECT_EQ(filtered_code(std::int64_t{300} << 22), 255);
  EXPECT_EQ(filtered_code((std::int64_t{7} << 22) + (1 << 21)), 8);
}

}  // namespace
}  // namespace lockstep
