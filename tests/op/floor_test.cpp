#include <gtest/gtest.h>

#include "support/problem.h"

namespace lockstep {
namespace {

TEST(Floor, goes_down) {
  const auto y = test::OpProblem("Floor").input<float>({2}, {1.5f, -1.5f}).run();
  EXPECT_EQ(y[0], Tensor::of<float>({2}, std::vector<float>{1.f, -2.f}));
}

}  // namespace
}  // namespace lockstep
