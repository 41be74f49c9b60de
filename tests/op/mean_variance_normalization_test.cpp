#include <gtest/gtest.h>

#include "support/problem.h"

namespace lockstep {
namespace {

using List = std::vector<std::int64_t>;

TEST(MeanVarianceNormalization, by_channel_over_all_samples) {
  const auto y =
      test::OpProblem("MeanVarianceNormalization").input<float>({2, 2, 1, 1}, {1, 10, 3, 30}).run();
  EXPECT_EQ(y[0], Tensor::of<float>({2, 2, 1, 1}, std::vector<float>{-1, -1, 1, 1}));
}

TEST(MeanVarianceNormalization, over_the_axes_that_are_named) {
  const auto y = test::OpProblem("MeanVarianceNormalization")
                     .input<float>({2, 2}, {1, 3, 10, 50})
                     .attr("axes", List{-1})
                     .run();
  EXPECT_EQ(y[0], Tensor::of<float>({2, 2}, std::vector<float>{-1, 1, -1, 1}));
}

}  // namespace
}  // namespace lockstep
