#include <gtest/gtest.h>

#include "op/op.h"
#include "support/problem.h"

namespace lockstep {
namespace {

using test::OpProblem;
using test::tensor;
using I = std::int64_t;

TEST(GatherND, reads_an_index_per_axis_from_the_innermost_extent) {
  const auto x = OpProblem("GatherND").input<float>({2, 2}, {1, 2, 3, 4});
  EXPECT_EQ(OpProblem(x).input<I>({2, 2}, {0, 0, 1, -1}).run()[0], tensor<float>({2}, {1, 4}));
  EXPECT_EQ(OpProblem(x).input<I>({1, 1}, {1}).run()[0], tensor<float>({1, 2}, {3, 4}));
}

TEST(GatherND, picks_per_batch) {
  const auto y = OpProblem("GatherND")
                     .input<float>({2, 2, 2}, {1, 2, 3, 4, 5, 6, 7, 8})
                     .input<I>({2, 1}, {1, 0})
                     .attr("batch_dims", I{1})
                     .run();
  EXPECT_EQ(y[0], tensor<float>({2, 2}, {3, 4, 5, 6}));
}

TEST(GatherND, refuses_more_indices_than_axes_and_one_outside) {
  EXPECT_FALSE(
      OpProblem("GatherND").input<float>({2}, {1, 2}).input<I>({2}, {0, 0}).try_run().ok());
  EXPECT_FALSE(OpProblem("GatherND").input<float>({2}, {1, 2}).input<I>({1}, {2}).try_run().ok());
}

}  // namespace
}  // namespace lockstep
