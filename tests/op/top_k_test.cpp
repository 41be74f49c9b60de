#include <gtest/gtest.h>

#include "support/problem.h"

namespace lockstep {
namespace {

TEST(TopK, finds_the_greatest_and_their_places_first_of_equals_first) {
  const auto y = test::OpProblem("TopK")
                     .input<float>({4}, {2, 9, 2, 5})
                     .attr("k", std::int64_t{3})
                     .output({})
                     .output({})
                     .run();
  EXPECT_EQ(y[0], (Tensor::of<float>({3}, std::vector<float>{9, 5, 2})));
  EXPECT_EQ(y[1], (Tensor::of<std::int64_t>({3}, std::vector<std::int64_t>{1, 3, 0})));
}

TEST(TopK, along_the_first_axis_takes_columns) {
  const auto y = test::OpProblem("TopK")
                     .input<float>({2, 2}, {1, 8, 3, 4})
                     .attr("k", std::int64_t{1})
                     .attr("axis", std::int64_t{0})
                     .attr("largest", std::int64_t{0})
                     .run();
  EXPECT_EQ(y[0], (Tensor::of<float>({1, 2}, std::vector<float>{1, 4})));
}

TEST(TopK, counts_places_in_32_bits_where_asked) {
  const auto y = test::OpProblem("TopK")
                     .input<float>({2}, {2, 9})
                     .attr("k", std::int64_t{1})
                     .attr("index_type", std::string("int32"))
                     .output({})
                     .output({})
                     .run();
  EXPECT_EQ(y[1], (Tensor::of<std::int32_t>({1}, std::vector<std::int32_t>{1})));
}

TEST(TopK, refuses_more_than_there_are) {
  EXPECT_FALSE(
      test::OpProblem("TopK").input<float>({1}, {2}).attr("k", std::int64_t{2}).try_run().ok());
}

}  // namespace
}  // namespace lockstep
