#include <gtest/gtest.h>

#include "support/problem.h"

namespace lockstep {
namespace {

TEST(InstanceNormalization, uses_the_statistics_of_each_channel) {
  const auto y = test::OpProblem("InstanceNormalization")
                     .input<float>({1, 2, 2}, {1, 3, 10, 30})
                     .constant<float>({2}, {1, 2})
                     .constant<float>({2}, {0, 5})
                     .attr("epsilon", 0.0)
                     .run();
  EXPECT_EQ(y[0], (Tensor::of<float>({1, 2, 2}, std::vector<float>{-1, 1, 3, 7})));
}

TEST(InstanceNormalization, refuses_a_scale_of_another_length) {
  EXPECT_FALSE(test::OpProblem("InstanceNormalization")
                   .input<float>({1, 2, 1}, {1, 3})
                   .constant<float>({1}, {1})
                   .constant<float>({2}, {0, 5})
                   .try_run()
                   .ok());
}

}  // namespace
}  // namespace lockstep
