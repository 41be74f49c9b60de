#include <gtest/gtest.h>

#include "op/op.h"
#include "support/problem.h"

namespace lockstep {
namespace {

using test::OpProblem;
using test::tensor;
using I = std::int64_t;

TEST(Transpose, moves_axis_perm_d_to_axis_d) {
  const auto x = OpProblem("Transpose").input<std::int16_t>({1, 2, 3}, {1, 2, 3, 4, 5, 6});
  EXPECT_EQ(OpProblem(x).attr("perm", Shape{2, 0, 1}).run()[0],
            tensor<std::int16_t>({3, 1, 2}, {1, 4, 2, 5, 3, 6}));
  EXPECT_EQ(OpProblem(x).constant<std::int32_t>({3}, {0, 2, 1}).run()[0],
            tensor<std::int16_t>({1, 3, 2}, {1, 4, 2, 5, 3, 6}));
}

TEST(Transpose, reverses_the_axes_when_none_are_given) {
  EXPECT_EQ(OpProblem("Transpose").input<float>({2, 2}, {1, 2, 3, 4}).run()[0],
            tensor<float>({2, 2}, {1, 3, 2, 4}));
}

TEST(Transpose, refuses_a_perm_that_is_no_permutation) {
  const auto x = OpProblem("Transpose").input<float>({2, 2}, {1, 2, 3, 4});
  EXPECT_FALSE(OpProblem(x).attr("perm", Shape{0, 0}).try_run().ok());
  EXPECT_FALSE(OpProblem(x).attr("perm", Shape{0}).try_run().ok());
}

}  // namespace
}  // namespace lockstep
