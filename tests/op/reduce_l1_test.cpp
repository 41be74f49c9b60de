#include <gtest/gtest.h>

#include "support/problem.h"

namespace lockstep {
namespace {

TEST(ReduceL1, runs_over_the_axes_of_the_attribute) {
  const auto y = test::OpProblem("ReduceL1")
                     .input<float>({2, 2}, {1, 2, 3, 4})
                     .attr("axes", std::vector<std::int64_t>{1})
                     .attr("keepdims", std::int64_t{0})
                     .run();
  EXPECT_EQ(y[0], (Tensor::of<float>({2}, std::vector<float>{3, 7})));
}

TEST(ReduceL1, runs_over_the_axes_of_the_input) {
  const auto y = test::OpProblem("ReduceL1")
                     .input<float>({2, 2}, {1, 2, 3, 4})
                     .constant<std::int64_t>({1}, {0})
                     .run();
  EXPECT_EQ(y[0], (Tensor::of<float>({1, 2}, std::vector<float>{4, 6})));
}

}  // namespace
}  // namespace lockstep
