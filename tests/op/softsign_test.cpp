#include <gtest/gtest.h>

#include "support/problem.h"

namespace lockstep {
namespace {

TEST(Softsign, stays_inside_one) {
  const auto y = test::OpProblem("Softsign").input<float>({2}, {1.f, -3.f}).run();
  EXPECT_EQ(y[0], Tensor::of<float>({2}, std::vector<float>{0.5f, -0.75f}));
}

}  // namespace
}  // namespace lockstep
