#include <gtest/gtest.h>

#include "support/problem.h"

namespace lockstep {
namespace {

TEST(Reciprocal, turns_fractions_over) {
  const auto y = test::OpProblem("Reciprocal").input<float>({2}, {4.f, -0.5f}).run();
  EXPECT_EQ(y[0], Tensor::of<float>({2}, std::vector<float>{0.25f, -2.f}));
}

}  // namespace
}  // namespace lockstep
