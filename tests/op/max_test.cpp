#include <gtest/gtest.h>

#include "support/problem.h"

namespace lockstep {
namespace {

TEST(Max, spreads_its_operands) {
  const auto y = test::OpProblem("Max").input<float>({2}, {1, 5}).input<float>({1}, {4}).run();
  EXPECT_EQ(y[0], (Tensor::of<float>({2}, std::vector<float>{4, 5})));
}

TEST(Max, of_one_is_that_one) {
  const auto y = test::OpProblem("Max").input<float>({1}, {3}).run();
  EXPECT_EQ(y[0], (Tensor::of<float>({1}, std::vector<float>{3})));
}

}  // namespace
}  // namespace lockstep
