#include <gtest/gtest.h>

#include "op/op.h"
#include "support/problem.h"

namespace lockstep {
namespace {

using test::OpProblem;
using test::tensor;
using I = std::int64_t;

TEST(CenterCropPad, cuts_and_fills_with_the_smaller_half_in_front) {
  const auto x = OpProblem("CenterCropPad").input<float>({1, 4}, {1, 2, 3, 4});
  EXPECT_EQ(OpProblem(x).constant<I>({2}, {2, 3}).run()[0],
            tensor<float>({2, 3}, {1, 2, 3, 0, 0, 0}));
  EXPECT_EQ(OpProblem(x).constant<I>({1}, {7}).attr("axes", Shape{-1}).run()[0],
            tensor<float>({1, 7}, {0, 1, 2, 3, 4, 0, 0}));
}

}  // namespace
}  // namespace lockstep
