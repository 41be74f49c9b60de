#include <gtest/gtest.h>

#include "support/problem.h"

namespace lockstep {
namespace {

TEST(Celu, tends_to_minus_alpha) {
  const auto y = test::OpProblem("Celu").input<float>({2}, {-100.f, 2.f}).attr("alpha", 0.5).run();
  EXPECT_EQ(y[0], Tensor::of<float>({2}, std::vector<float>{-0.5f, 2.f}));
}

}  // namespace
}  // namespace lockstep
