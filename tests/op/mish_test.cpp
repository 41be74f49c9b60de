#include <gtest/gtest.h>

#include "support/problem.h"

namespace lockstep {
namespace {

TEST(Mish, of_one) {
  const auto y = test::OpProblem("Mish").input<float>({2}, {0.f, 1.f}).run();
  EXPECT_EQ(y[0], Tensor::of<float>({2}, std::vector<float>{0.f, 0.8650984f}));
}

}  // namespace
}  // namespace lockstep
