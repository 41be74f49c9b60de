#include <gtest/gtest.h>

#include "support/problem.h"

namespace lockstep {
namespace {

TEST(ReduceMean, divides_by_the_number_of_elements) {
  const auto y = test::OpProblem("ReduceMean")
                     .input<float>({2, 2}, {1, 2, 3, 4})
                     .attr("axes", std::vector<std::int64_t>{1})
                     .run();
  EXPECT_EQ(y[0], (Tensor::of<float>({2, 1}, std::vector<float>{1.5f, 3.5f})));
}

TEST(ReduceMean, of_all_axes_leaves_one_element) {
  const auto y = test::OpProblem("ReduceMean")
                     .input<float>({2, 2}, {1, 2, 3, 4})
                     .attr("keepdims", std::int64_t{0})
                     .run();
  EXPECT_EQ(y[0], (Tensor::of<float>({}, std::vector<float>{2.5f})));
}

TEST(ReduceMean, with_noop_and_no_axes_changes_nothing) {
  const auto y = test::OpProblem("ReduceMean")
                     .input<float>({2}, {1, 2})
                     .attr("noop_with_empty_axes", std::int64_t{1})
                     .run();
  EXPECT_EQ(y[0], (Tensor::of<float>({2}, std::vector<float>{1, 2})));
}

}  // namespace
}  // namespace lockstep
