#include <gtest/gtest.h>

#include "support/problem.h"

namespace lockstep {
namespace {

TEST(Log, of_one_is_zero) {
  const auto y = test::OpProblem("Log").input<float>({2}, {1.f, 2.f}).run();
  EXPECT_EQ(y[0], Tensor::of<float>({2}, std::vector<float>{0.f, 0.6931472f}));
}

}  // namespace
}  // namespace lockstep
