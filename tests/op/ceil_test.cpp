#include <gtest/gtest.h>

#include "support/problem.h"

namespace lockstep {
namespace {

TEST(Ceil, goes_up) {
  const auto y = test::OpProblem("Ceil").input<float>({2}, {1.5f, -1.5f}).run();
  EXPECT_EQ(y[0], Tensor::of<float>({2}, std::vector<float>{2.f, -1.f}));
}

}  // namespace
}  // namespace lockstep
