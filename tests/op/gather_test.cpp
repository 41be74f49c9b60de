#include <gtest/gtest.h>

#include "op/op.h"
#include "support/problem.h"

namespace lockstep {
namespace {

using test::OpProblem;
using test::tensor;
using I = std::int64_t;

TEST(Gather, picks_along_the_axis_and_puts_the_indices_shape_there) {
  const auto y = OpProblem("Gather")
                     .input<float>({2, 3}, {1, 2, 3, 4, 5, 6})
                     .input<I>({1, 2}, {2, -3})
                     .attr("axis", I{1})
                     .run();
  EXPECT_EQ(y[0], tensor<float>({2, 1, 2}, {3, 1, 6, 4}));
}

TEST(Gather, takes_the_axis_away_for_a_scalar_index) {
  EXPECT_EQ(OpProblem("Gather").input<I>({3}, {7, 8, 9}).constant<I>({}, {1}).run()[0],
            tensor<I>({}, {8}));
}

TEST(Gather, picks_per_batch) {
  const auto y = OpProblem("Gather")
                     .input<float>({2, 2}, {1, 2, 3, 4})
                     .input<std::int32_t>({2, 1}, {1, 0})
                     .attr("axis", I{1})
                     .attr("batch_dims", I{1})
                     .run();
  EXPECT_EQ(y[0], tensor<float>({2, 1}, {2, 3}));
}

TEST(Gather, refuses_an_index_outside_of_the_axis) {
  EXPECT_FALSE(OpProblem("Gather").input<float>({2}, {1, 2}).input<I>({1}, {2}).try_run().ok());
}

}  // namespace
}  // namespace lockstep
