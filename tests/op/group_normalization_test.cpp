#include <gtest/gtest.h>

#include "support/problem.h"

namespace lockstep {
namespace {

// One group of both channels: mean 2, variance 1; then a scale and a bias for each channel.
TEST(GroupNormalization, shares_statistics_among_the_channels_of_a_group) {
  const auto y = test::OpProblem("GroupNormalization").input<float>({1, 2, 2}, {1, 3, 3, 1})
                     .constant<float>({2}, {1, 10}).constant<float>({2}, {0, 5})
                     .attr("num_groups", std::int64_t{1}).attr("epsilon", 0.0).run();
  EXPECT_EQ(y[0], (test::tensor<float>({1, 2, 2}, {-1, 1, 15, -5})));
}

TEST(GroupNormalization, takes_a_scale_for_each_group_as_opset_18_has_it) {
  const auto y = test::OpProblem("GroupNormalization").input<float>({1, 2, 2}, {1, 3, 3, 1})
                     .constant<float>({1}, {2}).constant<float>({1}, {0})
                     .attr("num_groups", std::int64_t{1}).attr("epsilon", 0.0).run();
  EXPECT_EQ(y[0], (test::tensor<float>({1, 2, 2}, {-2, 2, 2, -2})));
}

TEST(GroupNormalization, refuses_channels_that_do_not_divide) {
  EXPECT_FALSE(test::OpProblem("GroupNormalization").input<float>({1, 3, 1}, {1, 2, 3}).constant<float>({3}, {1, 1, 1})
                   .constant<float>({3}, {0, 0, 0}).attr("num_groups", std::int64_t{2}).try_run().ok());
}

}  // namespace
}  // namespace lockstep
