#include <gtest/gtest.h>

#include "support/problem.h"

namespace lockstep {
namespace {

TEST(QuickGelu, is_x_under_a_sigmoid_gate) {
  const auto y =
      test::OpProblem("QuickGelu").input<float>({3}, {0.f, 1.f, -1.f}).attr("alpha", 1.0).run();
  EXPECT_EQ(y[0], Tensor::of<float>({3}, std::vector<float>{0.f, 0.7310586f, -0.26894143f}));
}

}  // namespace
}  // namespace lockstep
