#include <gtest/gtest.h>

#include "support/problem.h"

namespace lockstep {
namespace {

TEST(Exp, of_zero_is_one) {
  const auto y = test::OpProblem("Exp").input<float>({2}, {0.f, 1.f}).run();
  EXPECT_EQ(y[0], Tensor::of<float>({2}, std::vector<float>{1.f, 2.7182817f}));
}

}  // namespace
}  // namespace lockstep
