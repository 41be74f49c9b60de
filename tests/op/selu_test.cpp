#include <gtest/gtest.h>

#include "support/problem.h"

namespace lockstep {
namespace {

TEST(Selu, scales_positive_reals_by_gamma) {
  const auto y = test::OpProblem("Selu").input<float>({2}, {1.f, 0.f}).attr("gamma", 2.0).run();
  EXPECT_EQ(y[0], Tensor::of<float>({2}, std::vector<float>{2.f, 0.f}));
}

}  // namespace
}  // namespace lockstep
