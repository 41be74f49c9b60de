#include <gtest/gtest.h>

#include "support/problem.h"

namespace lockstep {
namespace {

using Ints = std::vector<std::int64_t>;

Tensor doubled(const char* mode, const char* coordinates, const char* nearest = "round_prefer_floor") {
  return test::OpProblem("Resize").input<float>({1, 1, 1, 2}, {1, 3}).attr("shape", Ints{1, 1, 1, 4}).attr("mode", std::string(mode))
      .attr("coordinates", std::string(coordinates)).attr("nearest_mode", std::string(nearest)).run()[0];
}

TEST(Resize, repeats_the_nearest_element) {
  EXPECT_EQ(doubled("nearest", "asymmetric", "floor"), (Tensor::of<float>({1, 1, 1, 4}, std::vector<float>{1, 1, 3, 3})));
}

TEST(Resize, blends_linearly_between_pixel_centres) {
  EXPECT_EQ(doubled("linear", "half_pixel"), (Tensor::of<float>({1, 1, 1, 4}, std::vector<float>{1, 1.5f, 2.5f, 3})));
}

TEST(Resize, with_aligned_corners_keeps_the_ends) {
  const Tensor y = doubled("linear", "align_corners");
  EXPECT_EQ(y.as<float>()[0], 1);
  EXPECT_FLOAT_EQ(y.as<float>()[1], 1 + 2.f / 3);
  EXPECT_EQ(y.as<float>()[3], 3);
}

// Where the runtime mixes codes of int8 by a filter, it holds them as unsigned bytes: what is below 0 becomes 0.
TEST(Resize, a_filtered_int8_code_below_zero_becomes_zero) {
  const auto y = test::OpProblem("Resize").input<std::int8_t>({1, 1, 1, 2}, {-8, 24}).attr("shape", Ints{1, 1, 1, 4}).attr("mode", std::string("linear"))
                     .attr("antialias", std::int64_t{1}).run()[0];
  EXPECT_EQ(y, (Tensor::of<std::int8_t>({1, 1, 1, 4}, std::vector<std::int8_t>{0, 0, 16, 24})));
}

TEST(Resize, refuses_a_mode_it_does_not_know) {
  EXPECT_FALSE(test::OpProblem("Resize").input<float>({1}, {1}).attr("shape", Ints{2}).attr("mode", std::string("area")).try_run().ok());
}

}  // namespace
}  // namespace lockstep
