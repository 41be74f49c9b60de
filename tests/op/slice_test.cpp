#include <gtest/gtest.h>

#include "op/op.h"
#include "support/problem.h"

namespace lockstep {
namespace {

using test::OpProblem;
using test::tensor;
using I = std::int64_t;

TEST(Slice, takes_every_step_th_element_up_to_before_the_end) {
  const auto y = OpProblem("Slice")
                     .input<float>({2, 4}, {1, 2, 3, 4, 5, 6, 7, 8})
                     .constant<I>({2}, {1, 0})
                     .constant<I>({2}, {2, 3})
                     .constant<I>({2}, {0, 1})
                     .constant<I>({2}, {1, 2})
                     .run();
  EXPECT_EQ(y[0], tensor<float>({1, 2}, {5, 7}));
}

TEST(Slice, walks_backward_with_a_negative_step_and_cuts_ends_to_the_axis) {
  const auto x = OpProblem("Slice").input<std::int8_t>({4}, {1, 2, 3, 4});
  EXPECT_EQ(OpProblem(x)
                .constant<I>({1}, {-1})
                .constant<I>({1}, {INT64_MIN})
                .absent()
                .constant<I>({1}, {-1})
                .run()[0],
            tensor<std::int8_t>({4}, {4, 3, 2, 1}));
  EXPECT_EQ(OpProblem(x)
                .constant<I>({1}, {20})
                .constant<I>({1}, {0})
                .absent()
                .constant<I>({1}, {-2})
                .run()[0],
            tensor<std::int8_t>({2}, {4, 2}));
  EXPECT_EQ(OpProblem(x).constant<I>({1}, {9}).constant<I>({1}, {INT64_MAX}).run()[0].shape(),
            (Shape{0}));
}

TEST(Slice, reads_attributes_where_there_are_no_inputs) {
  const auto y = OpProblem("Slice")
                     .input<float>({2, 3}, {1, 2, 3, 4, 5, 6})
                     .attr("starts", Shape{-2})
                     .attr("ends", Shape{1000})
                     .attr("axes", Shape{1})
                     .run();
  EXPECT_EQ(y[0], tensor<float>({2, 2}, {2, 3, 5, 6}));
}

TEST(Slice, by_size_reads_minus_1_as_the_rest_and_refuses_what_lies_outside) {
  const auto x = OpProblem("Slice")
                     .input<float>({2, 3}, {1, 2, 3, 4, 5, 6})
                     .attr("sizes", I{1})
                     .constant<std::int32_t>({2}, {0, 1});
  EXPECT_EQ(OpProblem(x).constant<std::int32_t>({2}, {1, -1}).run()[0],
            tensor<float>({1, 2}, {2, 3}));
  EXPECT_FALSE(OpProblem(x).constant<std::int32_t>({2}, {1, 3}).try_run().ok());
}

}  // namespace
}  // namespace lockstep
