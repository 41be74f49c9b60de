#include <gtest/gtest.h>

#include "support/problem.h"

namespace lockstep {
namespace {

TEST(Atanh, of_two_places) {
  const auto y = test::OpProblem("Atanh").input<float>({2}, {0.0f, 0.5f}).run();
  EXPECT_EQ(y[0], Tensor::of<float>({2}, std::vector<float>{0.f, 0.54930615f}));
}

}  // namespace
}  // namespace lockstep
