#include <gtest/gtest.h>

#include "support/problem.h"

namespace lockstep {
namespace {

TEST(PRelu, scales_negative_reals_by_the_slope_of_their_channel) {
  const auto y = test::OpProblem("PRelu")
                     .input<float>({1, 2, 2}, {-1, 1, -1, 1})
                     .input<float>({2, 1}, {0.5f, 0.25f})
                     .run();
  EXPECT_EQ(y[0], Tensor::of<float>({1, 2, 2}, std::vector<float>{-0.5f, 1, -0.25f, 1}));
}

TEST(PRelu, refuses_a_slope_larger_than_x) {
  EXPECT_FALSE(
      test::OpProblem("PRelu").input<float>({1}, {1}).input<float>({2}, {1, 1}).try_run().ok());
}

}  // namespace
}  // namespace lockstep
