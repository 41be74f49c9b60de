#include <gtest/gtest.h>

#include "op/op.h"
#include "support/problem.h"

namespace lockstep {
namespace {

using test::OpProblem;
using test::tensor;
using I = std::int64_t;

TEST(Split, cuts_the_axis_into_the_given_extents) {
  const auto y = OpProblem("Split")
                     .input<float>({1, 4}, {1, 2, 3, 4})
                     .constant<I>({3}, {1, 0, 3})
                     .attr("axis", I{-1})
                     .output({})
                     .output({})
                     .output({})
                     .run();
  EXPECT_EQ(y[0], tensor<float>({1, 1}, {1}));
  EXPECT_EQ(y[1].shape(), (Shape{1, 0}));
  EXPECT_EQ(y[2], tensor<float>({1, 3}, {2, 3, 4}));
}

TEST(Split, makes_equal_parts_and_a_smaller_last_one_only_when_their_number_is_given) {
  const auto x =
      OpProblem("Split").input<std::int8_t>({3}, {1, 2, 3}, {{0.5}, {4}, -1}).output({}).output({});
  EXPECT_FALSE(OpProblem(x).try_run().ok());
  const auto y = OpProblem(x).attr("num_outputs", I{2}).run();
  EXPECT_EQ(y[0], tensor<std::int8_t>({2}, {1, 2}));
  EXPECT_EQ(y[1], tensor<std::int8_t>({1}, {3}));
}

TEST(Split, refuses_extents_that_do_not_make_the_axis) {
  const auto x = OpProblem("Split").input<float>({3}, {1, 2, 3}).output({}).output({});
  EXPECT_FALSE(OpProblem(x).attr("split", Shape{1, 1}).try_run().ok());
  EXPECT_FALSE(OpProblem(x).attr("split", Shape{3}).try_run().ok());
  EXPECT_FALSE(OpProblem(x).attr("split", Shape{-1, -1}).try_run().ok());
}

}  // namespace
}  // namespace lockstep
