#include <gtest/gtest.h>

#include <cmath>

#include "support/problem.h"

namespace lockstep {
namespace {

using test::OpProblem;
using test::tensor;

TEST(SkipLayerNormalization, normalizes_each_row_of_the_sum_and_hands_it_on) {
  const auto y = OpProblem("SkipLayerNormalization")
                     .input<float>({2, 2}, {1, 1, 4, 10})
                     .input<float>({2}, {0, 2})
                     .constant<float>({2}, {1, 2})
                     .constant<float>({2}, {0, 5})
                     .attr("epsilon", 0.0)
                     .output({})
                     .output({})
                     .run();
  EXPECT_EQ(y[1], (tensor<float>({2, 2}, {1, 3, 4, 12})));
  EXPECT_EQ(y[0], (tensor<float>({2, 2}, {-1, 7, -1, 7})));
}

// s = {3, 7}: the mean of squares is 29
TEST(SkipLayerNormalization, simplified_leaves_the_mean_in) {
  const auto y = OpProblem("SkipLayerNormalization")
                     .input<float>({1, 2}, {1, 1})
                     .input<float>({1, 2}, {2, 5})
                     .constant<float>({2}, {1, 1})
                     .absent()
                     .constant<float>({2}, {0, 1})
                     .attr("epsilon", 0.0)
                     .attr("simplified", std::int64_t{1})
                     .run();
  EXPECT_FLOAT_EQ(y[0].as<float>()[0], 3 / std::sqrt(29.0f));
  EXPECT_FLOAT_EQ(y[0].as<float>()[1], 7 / std::sqrt(29.0f));
}

TEST(SkipLayerNormalization, refuses_a_skip_of_another_shape) {
  EXPECT_FALSE(OpProblem("SkipLayerNormalization")
                   .input<float>({2, 3, 2}, std::vector<float>(12))
                   .input<float>({2, 2}, {0, 2, 1, 1})
                   .constant<float>({2}, {1, 2})
                   .try_run()
                   .ok());
}

}  // namespace
}  // namespace lockstep
