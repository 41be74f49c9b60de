#include <gtest/gtest.h>

#include "support/problem.h"

namespace lockstep {
namespace {

test::OpProblem problem(std::int32_t row, std::int32_t column) {
  return test::OpProblem("DynamicUpdateSlice")
      .input<float>({2, 3}, {1, 2, 3, 4, 5, 6})
      .input<float>({1, 2}, {10, 20})
      .input<std::int32_t>({2}, {row, column});
}

TEST(DynamicUpdateSlice, replaces_the_block_that_begins_at_the_start) {
  EXPECT_EQ(problem(1, 0).run()[0],
            Tensor::of<float>({2, 3}, std::vector<float>{1, 2, 3, 10, 20, 6}));
}

TEST(DynamicUpdateSlice, holds_the_start_so_that_the_block_lies_inside) {
  EXPECT_EQ(problem(9, 9).run()[0],
            Tensor::of<float>({2, 3}, std::vector<float>{1, 2, 3, 4, 10, 20}));
  EXPECT_EQ(problem(-1, -1).run()[0],
            Tensor::of<float>({2, 3}, std::vector<float>{10, 20, 3, 4, 5, 6}));
}

}  // namespace
}  // namespace lockstep
