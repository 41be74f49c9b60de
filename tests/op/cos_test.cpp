#include <gtest/gtest.h>

#include "support/problem.h"

namespace lockstep {
namespace {

TEST(Cos, of_one) {
  const auto y = test::OpProblem("Cos").input<float>({2}, {0.f, 1.f}).run();
  EXPECT_EQ(y[0], Tensor::of<float>({2}, std::vector<float>{1.f, 0.5403023f}));
}

}  // namespace
}  // namespace lockstep
