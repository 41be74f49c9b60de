#include <gtest/gtest.h>

#include "support/problem.h"

namespace lockstep {
namespace {

TEST(LpNormalization, brings_each_row_to_length_one) {
  const auto y = test::OpProblem("LpNormalization").input<float>({2, 2}, {3, 4, 0, 0}).run();
  EXPECT_EQ(y[0], (Tensor::of<float>({2, 2}, std::vector<float>{0.6f, 0.8f, 0, 0})));
}

TEST(LpNormalization, with_p_one_divides_by_the_sum) {
  const auto y = test::OpProblem("LpNormalization")
                     .input<float>({2}, {1, -3})
                     .attr("p", std::int64_t{1})
                     .run();
  EXPECT_EQ(y[0], (Tensor::of<float>({2}, std::vector<float>{0.25f, -0.75f})));
}

}  // namespace
}  // namespace lockstep
