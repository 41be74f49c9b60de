#include <gtest/gtest.h>

#include "support/problem.h"

namespace lockstep {
namespace {

TEST(Acosh, of_two_places) {
  const auto y = test::OpProblem("Acosh").input<float>({2}, {1.0f, 2.0f}).run();
  EXPECT_EQ(y[0], Tensor::of<float>({2}, std::vector<float>{0.f, 1.316958f}));
}

}  // namespace
}  // namespace lockstep
