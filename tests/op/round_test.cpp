#include <gtest/gtest.h>

#include "support/problem.h"

namespace lockstep {
namespace {

TEST(Round, takes_ties_to_even) {
  const auto y = test::OpProblem("Round").input<float>({5}, {0.5f, 1.5f, -2.5f, -0.7f, 2.2f}).run();
  EXPECT_EQ(y[0], Tensor::of<float>({5}, std::vector<float>{0.f, 2.f, -2.f, -1.f, 2.f}));
}

}  // namespace
}  // namespace lockstep
