#include <gtest/gtest.h>

#include "support/problem.h"

namespace lockstep {
namespace {

TEST(Sqrt, of_a_square_is_exact) {
  const auto y = test::OpProblem("Sqrt").input<float>({2}, {9.f, 2.25f}).run();
  EXPECT_EQ(y[0], Tensor::of<float>({2}, std::vector<float>{3.f, 1.5f}));
}

}  // namespace
}  // namespace lockstep
