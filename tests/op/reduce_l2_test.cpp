#include <gtest/gtest.h>

#include "support/problem.h"

namespace lockstep {
namespace {

TEST(ReduceL2, of_three_and_four_is_five) {
  const auto y = test::OpProblem("ReduceL2").input<float>({2}, {3, -4}).run();
  EXPECT_EQ(y[0], (Tensor::of<float>({1}, std::vector<float>{5})));
}

}  // namespace
}  // namespace lockstep
