#include <gtest/gtest.h>

#include "op/op.h"
#include "support/problem.h"

namespace lockstep {
namespace {

using test::OpProblem;
using test::tensor;
using I = std::int64_t;

TEST(Expand, repeats_extents_of_1_and_adds_outer_axes) {
  const auto y = OpProblem("Expand").input<float>({2, 1}, {1, 2}).constant<I>({3}, {2, 1, 3}).run();
  EXPECT_EQ(y[0], tensor<float>({2, 2, 3}, {1, 1, 1, 2, 2, 2, 1, 1, 1, 2, 2, 2}));
}

TEST(Expand, keeps_an_extent_that_the_shape_gives_as_1) {
  EXPECT_EQ(OpProblem("Expand").input<I>({2}, {7, 8}).constant<I>({1}, {1}).run()[0],
            tensor<I>({2}, {7, 8}));
}

TEST(Expand, refuses_extents_that_do_not_fit) {
  EXPECT_FALSE(OpProblem("Expand").input<float>({2}, {1, 2}).constant<I>({1}, {3}).try_run().ok());
}

}  // namespace
}  // namespace lockstep
