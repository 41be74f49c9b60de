#include <gtest/gtest.h>

#include "support/problem.h"

namespace lockstep {
namespace {

using Ints = std::vector<std::int64_t>;

TEST(ConvTranspose, spreads_each_element_over_its_window) {  // 1*[1,2] at 0, 3*[1,2] at 2
  const auto y = test::OpProblem("ConvTranspose").input<float>({1, 1, 2}, {1, 3}).constant<float>({1, 1, 2}, {1, 2})
                     .attr("strides", Ints{2}).attr("shape", Ints{4}).run();
  EXPECT_EQ(y[0], (Tensor::of<float>({1, 1, 4}, std::vector<float>{1, 2, 3, 6})));
}

TEST(ConvTranspose, adds_where_windows_meet_and_cuts_pads) {  // full: 1, 2+3, 6
  const auto y = test::OpProblem("ConvTranspose").input<float>({1, 1, 2}, {1, 3}).constant<float>({1, 1, 2}, {1, 2})
                     .constant<float>({1}, {0.5f}).attr("pads", Ints{1, 0}).attr("shape", Ints{2}).run();
  EXPECT_EQ(y[0], (Tensor::of<float>({1, 1, 2}, std::vector<float>{5.5f, 6.5f})));
}

TEST(ConvTranspose, refuses_weights_of_other_channels) {
  EXPECT_FALSE(test::OpProblem("ConvTranspose").input<float>({1, 1, 1}, {1}).constant<float>({2, 1, 1}, {1, 2})
                   .attr("shape", Ints{1}).try_run().ok());
}

}  // namespace
}  // namespace lockstep
