#include <gtest/gtest.h>

#include "support/problem.h"

namespace lockstep {
namespace {

TEST(CumSum, adds_up_along_the_axis) {
  const auto y = test::OpProblem("CumSum")
                     .input<float>({2, 3}, {1, 2, 3, 4, 5, 6})
                     .constant<std::int64_t>({}, {1})
                     .run();
  EXPECT_EQ(y[0], (Tensor::of<float>({2, 3}, std::vector<float>{1, 3, 6, 4, 9, 15})));
}

TEST(CumSum, exclusive_and_reverse_starts_at_the_end_without_the_element) {
  const auto y = test::OpProblem("CumSum")
                     .input<float>({3}, {1, 2, 3})
                     .constant<std::int32_t>({}, {0})
                     .attr("exclusive", std::int64_t{1})
                     .attr("reverse", std::int64_t{1})
                     .run();
  EXPECT_EQ(y[0], (Tensor::of<float>({3}, std::vector<float>{5, 3, 0})));
}

}  // namespace
}  // namespace lockstep
