#include <gtest/gtest.h>

#include "support/problem.h"

namespace lockstep {
namespace {

TEST(Erf, is_odd) {
  const auto y = test::OpProblem("Erf").input<float>({3}, {-1.f, 0.f, 1.f}).run();
  EXPECT_EQ(y[0], Tensor::of<float>({3}, std::vector<float>{-0.8427008f, 0.f, 0.8427008f}));
}

}  // namespace
}  // namespace lockstep
