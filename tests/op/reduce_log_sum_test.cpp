#include <gtest/gtest.h>

#include "support/problem.h"

namespace lockstep {
namespace {

TEST(ReduceLogSum, of_parts_of_one_is_zero) {
  const auto y = test::OpProblem("ReduceLogSum").input<float>({2}, {0.25f, 0.75f}).run();
  EXPECT_EQ(y[0], (Tensor::of<float>({1}, std::vector<float>{0})));
}

}  // namespace
}  // namespace lockstep
