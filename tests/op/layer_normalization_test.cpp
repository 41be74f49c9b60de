#include <gtest/gtest.h>

#include "support/problem.h"

namespace lockstep {
namespace {

TEST(LayerNormalization, normalizes_each_row) {
  const auto y = test::OpProblem("LayerNormalization")
                     .input<float>({2, 2}, {1, 3, 10, 30})
                     .constant<float>({2}, {1, 2})
                     .constant<float>({2}, {0, 5})
                     .attr("epsilon", 0.0)
                     .run();
  EXPECT_EQ(y[0], (Tensor::of<float>({2, 2}, std::vector<float>{-1, 7, -1, 7})));
}

TEST(LayerNormalization, without_bias_adds_nothing) {
  const auto y = test::OpProblem("LayerNormalization")
                     .input<float>({1, 2}, {1, 3})
                     .constant<float>({2}, {1, 2})
                     .attr("epsilon", 0.0)
                     .run();
  EXPECT_EQ(y[0], (Tensor::of<float>({1, 2}, std::vector<float>{-1, 2})));
}

}  // namespace
}  // namespace lockstep
