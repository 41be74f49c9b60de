#include <gtest/gtest.h>

#include "support/problem.h"

namespace lockstep {
namespace {

TEST(Sin, of_one) {
  const auto y = test::OpProblem("Sin").input<float>({2}, {0.f, 1.f}).run();
  EXPECT_EQ(y[0], Tensor::of<float>({2}, std::vector<float>{0.f, 0.84147096f}));
}

}  // namespace
}  // namespace lockstep
