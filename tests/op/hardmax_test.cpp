#include <gtest/gtest.h>

#include "support/problem.h"

namespace lockstep {
namespace {

TEST(Hardmax, marks_the_first_of_equal_ones_along_an_axis) {
  const auto y = test::OpProblem("Hardmax").input<float>({2, 3}, {1, 5, 5, -1, -2, -3}).run();
  EXPECT_EQ(y[0], Tensor::of<float>({2, 3}, std::vector<float>{0, 1, 0, 1, 0, 0}));
}

TEST(Hardmax, of_old_opsets_takes_all_behind_the_axis_as_one_row) {
  const auto y = test::OpProblem("Hardmax")
                     .input<float>({1, 2, 2}, {1, 2, 4, 3})
                     .attr("axis", std::int64_t{1})
                     .attr("flatten", std::int64_t{1})
                     .run();
  EXPECT_EQ(y[0], Tensor::of<float>({1, 2, 2}, std::vector<float>{0, 0, 1, 0}));
}

}  // namespace
}  // namespace lockstep
