#include <gtest/gtest.h>

#include "support/problem.h"

namespace lockstep {
namespace {

TEST(GlobalAveragePool, leaves_one_mean_per_channel) {
  const auto y =
      test::OpProblem("GlobalAveragePool").input<float>({1, 2, 1, 2}, {1, 2, 3, 5}).run();
  EXPECT_EQ(y[0], (Tensor::of<float>({1, 2, 1, 1}, std::vector<float>{1.5f, 4})));
}

TEST(GlobalAveragePool, reads_channels_last) {
  const auto y = test::OpProblem("GlobalAveragePool")
                     .input<float>({1, 2, 2}, {1, 2, 3, 5})
                     .attr("layout", std::string("NHWC"))
                     .run();
  EXPECT_EQ(y[0], (Tensor::of<float>({1, 1, 2}, std::vector<float>{2, 3.5f})));
}

}  // namespace
}  // namespace lockstep
