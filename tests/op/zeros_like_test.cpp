#include <gtest/gtest.h>

#include "support/problem.h"

namespace lockstep {
namespace {

TEST(ZerosLike, has_the_shape_and_type_of_x) {
  const auto y = test::OpProblem("ZerosLike").input<float>({2, 1}, {3, -4}).run();
  EXPECT_EQ(y[0], Tensor::of<float>({2, 1}, std::vector<float>{0, 0}));
}

}  // namespace
}  // namespace lockstep
