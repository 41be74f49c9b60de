#include <gtest/gtest.h>

#include "support/problem.h"

namespace lockstep {
namespace {

TEST(ReduceMin, finds_the_least_of_each_row) {
  const auto y = test::OpProblem("ReduceMin")
                     .input<float>({2, 2}, {1, -2, 3, 4})
                     .attr("axes", std::vector<std::int64_t>{-1})
                     .attr("keepdims", std::int64_t{0})
                     .run();
  EXPECT_EQ(y[0], (Tensor::of<float>({2}, std::vector<float>{-2, 3})));
}

TEST(ReduceMin, of_codes_stays_in_codes) {
  const auto y =
      test::OpProblem("ReduceMin").input<std::int8_t>({3}, {5, -7, 1}, {{0.5}, {3}, -1}).run();
  EXPECT_EQ(y[0], (Tensor::of<std::int8_t>({1}, std::vector<std::int8_t>{-7})));
}

}  // namespace
}  // namespace lockstep
