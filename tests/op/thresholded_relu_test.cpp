#include <gtest/gtest.h>

#include "support/problem.h"

namespace lockstep {
namespace {

TEST(ThresholdedRelu, drops_what_does_not_exceed_alpha) {
  const auto y = test::OpProblem("ThresholdedRelu").input<float>({3}, {0.5f, 1.f, 1.5f}).run();
  EXPECT_EQ(y[0], Tensor::of<float>({3}, std::vector<float>{0.f, 0.f, 1.5f}));
}

}  // namespace
}  // namespace lockstep
