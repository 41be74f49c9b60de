#include <gtest/gtest.h>

#include "support/problem.h"

namespace lockstep {
namespace {

TEST(BatchNormalization, normalizes_each_channel_by_its_own_statistics) {
  const auto y = test::OpProblem("BatchNormalization")
                     .input<float>({1, 2, 2}, {1, 3, 10, 20})
                     .constant<float>({2}, {2, 1})
                     .constant<float>({2}, {0.5f, 0})
                     .constant<float>({2}, {1, 10})
                     .constant<float>({2}, {4, 25})
                     .attr("epsilon", 0.0)
                     .run();
  EXPECT_EQ(y[0], (Tensor::of<float>({1, 2, 2}, std::vector<float>{0.5f, 2.5f, 0, 2})));
}

TEST(BatchNormalization, refuses_parameters_of_another_length) {
  auto p = test::OpProblem("BatchNormalization").input<float>({1, 2, 1}, {1, 3});
  for (int i = 0; i < 4; ++i) p.constant<float>({1}, {1});
  EXPECT_FALSE(p.try_run().ok());
}

}  // namespace
}  // namespace lockstep
