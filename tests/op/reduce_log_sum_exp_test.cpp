#include <gtest/gtest.h>

#include "support/problem.h"

namespace lockstep {
namespace {

TEST(ReduceLogSumExp, of_two_zeros_is_ln_two) {
  const auto y = test::OpProblem("ReduceLogSumExp").input<float>({2}, {0, 0}).run();
  EXPECT_EQ(y[0], (Tensor::of<float>({1}, std::vector<float>{0.6931472f})));
}

}  // namespace
}  // namespace lockstep
