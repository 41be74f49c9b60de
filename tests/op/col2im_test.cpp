#include <gtest/gtest.h>

#include "support/problem.h"

namespace lockstep {
namespace {

using List = std::vector<std::int64_t>;

TEST(Col2Im, adds_where_blocks_overlap) {
  const auto y = test::OpProblem("Col2Im")
                     .input<float>({1, 2, 2}, {1, 2, 10, 20})
                     .constant<std::int64_t>({1}, List{3})
                     .constant<std::int64_t>({1}, List{2})
                     .run();
  EXPECT_EQ(y[0], Tensor::of<float>({1, 1, 3}, std::vector<float>{1, 12, 20}));
}

TEST(Col2Im, refuses_a_number_of_blocks_that_does_not_fit) {
  const auto y = test::OpProblem("Col2Im")
                     .input<float>({1, 2, 3}, {1, 2, 3, 4, 5, 6})
                     .constant<std::int64_t>({1}, List{3})
                     .constant<std::int64_t>({1}, List{2})
                     .try_run();
  EXPECT_FALSE(y.ok());
}

}  // namespace
}  // namespace lockstep
