#include <gtest/gtest.h>

#include "support/problem.h"

namespace lockstep {
namespace {

// One group of both channels: mean 2, variance 1; then a scale and a bias for each channel.
TEST(GroupNormalization, shares_statistics_among_the_channels_of_a_group) {
  const auto y = test::OpProblem("GroupNormalization")
                     .input<float>({1, 2, 2}, {1, 3, 3, 1})
                     .constant<float>({2}, {1, 10})
                     .constant<float>({2}, {0, 5})
                     .attr("num_groups", std::int64_t{1})
                     .attr("epsilon", 0.0)
                     .run();
  EXPECT_EQ(y[0], (test::tensor<float>({1, 2, 2}, {-1, 1, 15, -5})));
}

TEST(GroupNormalization, takes_a_scale_for_each_group_as_opset_18_has_it) {
  const auto y = test::OpProblem("GroupNormalization")
                     .input<float>({1, 2, 2}, {1, 3, 3, 1})
                     .constant<float>({1}, {2})
                     .constant<float>({1}, {0})
                     .attr("num_groups", std::int64_t{1})
                     .attr("epsilon", 0.0)
                     .run();
  EXPECT_EQ(y[0], (test::tensor<float>({1, 2, 2}, {-2, 2, 2, -2})));
}

TEST(GroupNormalization, refuses_channels_that_do_not_divide) {
  EXPECT_FALSE(test::OpProblem("GroupNormalization")
                   .input<float>({1, 3, 1}, {1, 2, 3})
                   .constant<float>({3}, {1, 1, 1})
                   .constant<float>({3}, {0, 0, 0})
                   .attr("num_groups", std::int64_t{2})
                   .try_run()
                   .ok());
}

// onnxruntime 1.30 (N104): the mean of squares less the square of the mean.
TEST(GroupNormalization, as_the_runtime_to_the_bit) {
  const auto y = test::OpProblem("GroupNormalization", "ort-noopt")
                     .input<float>({1, 2, 2, 2}, {0.4375f, -1.6875f, 1.625f, -0.1875f, 0.0625f,
                                                  2.25f, 2.125f, 0.125f})
                     .constant<float>({2}, {1.5f, 0.5f})
                     .constant<float>({2}, {0.25f, -1})
                     .attr("num_groups", std::int64_t{1})
                     .run();
  EXPECT_EQ(y[0],
            Tensor::of<float>({1, 2, 2, 2},
                              std::vector<float>{0x1.ff865p-5f, -0x1.3e8228p+1f, 0x1.7ce5e6p+0f,
                                                 -0x1.602608p-1f, -0x1.366ab6p+0f, -0x1.5963dcp-2f,
                                                 -0x1.8c9b1cp-2f, -0x1.3003cep+0f}));
}

}  // namespace
}  // namespace lockstep
