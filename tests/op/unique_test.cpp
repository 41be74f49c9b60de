#include <gtest/gtest.h>

#include "support/problem.h"

namespace lockstep {
namespace {

using Ints = std::vector<std::int64_t>;
Tensor ints(Ints v) {
  return Tensor::of<std::int64_t>({std::ssize(v)}, v);
}

TEST(Unique, sorts_and_tells_where_and_how_often) {
  const auto y = test::OpProblem("Unique")
                     .constant<std::int64_t>({6}, {2, 1, 1, 3, 4, 3})
                     .output({})
                     .output({})
                     .output({})
                     .output({})
                     .run();
  ASSERT_EQ(y.size(), 4u);
  EXPECT_EQ(y[0], ints({1, 2, 3, 4}));
  EXPECT_EQ(y[1], ints({1, 0, 3, 4}));
  EXPECT_EQ(y[2], ints({1, 0, 0, 2, 3, 2}));
  EXPECT_EQ(y[3], ints({2, 1, 2, 1}));
}

TEST(Unique, unsorted_keeps_the_order_of_first_places) {
  const auto y = test::OpProblem("Unique")
                     .constant<std::int64_t>({4}, {2, 1, 2, 1})
                     .attr("sorted", std::int64_t{0})
                     .run();
  EXPECT_EQ(y[0], ints({2, 1}));
}

TEST(Unique, of_slices_along_an_axis) {
  const auto y = test::OpProblem("Unique")
                     .constant<float>({3, 2}, {1, 0, 1, 0, 0, 5})
                     .attr("axis", std::int64_t{0})
                     .run();
  EXPECT_EQ(y[0], Tensor::of<float>({2, 2}, std::vector<float>{0, 5, 1, 0}));
}

TEST(Unique, refuses_what_only_data_decides) {
  EXPECT_FALSE(test::OpProblem("Unique").input<std::int64_t>({2}, {2, 1}).try_run().ok());
}

}  // namespace
}  // namespace lockstep
