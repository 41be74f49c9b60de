#include <gtest/gtest.h>

#include "support/problem.h"

namespace lockstep {
namespace {

TEST(Sign, keeps_only_the_sign) {
  const auto y = test::OpProblem("Sign").input<float>({3}, {-2.f, 0.f, 0.1f}).run();
  EXPECT_EQ(y[0], Tensor::of<float>({3}, std::vector<float>{-1.f, 0.f, 1.f}));
}

}  // namespace
}  // namespace lockstep
