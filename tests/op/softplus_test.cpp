#include <gtest/gtest.h>

#include "support/problem.h"

namespace lockstep {
namespace {

TEST(Softplus, is_ln_two_at_zero_and_x_far_out) {
  const auto y = test::OpProblem("Softplus").input<float>({2}, {0.f, 100.f}).run();
  EXPECT_EQ(y[0], Tensor::of<float>({2}, std::vector<float>{0.6931472f, 100.f}));
}

}  // namespace
}  // namespace lockstep
