#include <gtest/gtest.h>

#include "support/problem.h"

namespace lockstep {
namespace {

TEST(Acos, of_two_places) {
  const auto y = test::OpProblem("Acos").input<float>({2}, {1.0f, -1.0f}).run();
  EXPECT_EQ(y[0], Tensor::of<float>({2}, std::vector<float>{0.f, 3.1415927f}));
}

}  // namespace
}  // namespace lockstep
