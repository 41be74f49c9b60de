#include <gtest/gtest.h>

#include "support/problem.h"

namespace lockstep {
namespace {

TEST(Elu, tends_to_minus_alpha) {
  const auto y = test::OpProblem("Elu").input<float>({2}, {-100.f, 2.f}).attr("alpha", 3.0).run();
  EXPECT_EQ(y[0], Tensor::of<float>({2}, std::vector<float>{-3.f, 2.f}));
}

}  // namespace
}  // namespace lockstep
