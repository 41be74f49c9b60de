#include <gtest/gtest.h>

#include "support/problem.h"

namespace lockstep {
namespace {

TEST(Cosh, of_two_places) {
  const auto y = test::OpProblem("Cosh").input<float>({2}, {0.0f, 1.0f}).run();
  EXPECT_EQ(y[0], Tensor::of<float>({2}, std::vector<float>{1.f, 1.5430807f}));
}

}  // namespace
}  // namespace lockstep
