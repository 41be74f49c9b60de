#include <gtest/gtest.h>

#include "support/problem.h"

namespace lockstep {
namespace {

TEST(Sinh, of_two_places) {
  const auto y = test::OpProblem("Sinh").input<float>({2}, {0.0f, 1.0f}).run();
  EXPECT_EQ(y[0], Tensor::of<float>({2}, std::vector<float>{0.f, 1.1752012f}));
}

}  // namespace
}  // namespace lockstep
