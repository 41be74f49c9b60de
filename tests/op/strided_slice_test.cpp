#include <gtest/gtest.h>

#include "op/op.h"
#include "support/problem.h"

namespace lockstep {
namespace {

using test::OpProblem;
using test::tensor;
using I = std::int64_t;

OpProblem sliced(Shape begin, Shape end, Shape strides) {
  const auto n = static_cast<I>(begin.size());
  return OpProblem("StridedSlice")
      .input<float>({2, 3}, {1, 2, 3, 4, 5, 6})
      .constant<I>({n}, begin)
      .constant<I>({n}, end)
      .constant<I>({n}, strides);
}

TEST(StridedSlice, takes_elements_from_begin_to_before_end) {
  EXPECT_EQ(sliced({0, -2}, {1, 3}, {1, 1}).run()[0], tensor<float>({1, 2}, {2, 3}));
  EXPECT_EQ(sliced({1}, {2}, {1}).run()[0], tensor<float>({1, 3}, {4, 5, 6}));
}

TEST(StridedSlice, ignores_masked_ends_in_both_directions) {
  EXPECT_EQ(
      sliced({1, 1}, {1, 1}, {1, -1}).attr("begin_mask", I{3}).attr("end_mask", I{3}).run()[0],
      tensor<float>({2, 3}, {3, 2, 1, 6, 5, 4}));
}

TEST(StridedSlice, drops_shrunk_axes_and_adds_new_ones) {
  EXPECT_EQ(sliced({0, -1}, {2, 0}, {1, 1}).attr("shrink_axis_mask", I{2}).run()[0],
            tensor<float>({2}, {3, 6}));
  EXPECT_EQ(sliced({0, 0, 1}, {0, 0, 2}, {1, 1, 1})
                .attr("ellipsis_mask", I{1})
                .attr("new_axis_mask", I{2})
                .run()[0],
            tensor<float>({2, 1, 1}, {2, 5}));
}

TEST(StridedSlice, refuses_a_shrunk_index_outside_and_a_stride_of_0) {
  EXPECT_FALSE(sliced({2}, {3}, {1}).attr("shrink_axis_mask", I{1}).try_run().ok());
  EXPECT_FALSE(sliced({0}, {1}, {0}).try_run().ok());
}

}  // namespace
}  // namespace lockstep
