#include <gtest/gtest.h>

#include "support/problem.h"

namespace lockstep {
namespace {

using List = std::vector<std::int64_t>;

TEST(LpPool, takes_the_length_of_each_window) {
  const auto y = test::OpProblem("LpPool")
                     .input<float>({1, 1, 1, 4}, {3, -4, 0, 5})
                     .attr("kernel_shape", List{1, 2})
                     .attr("strides", List{1, 2})
                     .run();
  EXPECT_EQ(y[0], Tensor::of<float>({1, 1, 1, 2}, std::vector<float>{5, 5}));
}

TEST(LpPool, of_p_one_sums_magnitudes_and_padding_adds_nothing) {
  const auto y = test::OpProblem("LpPool")
                     .input<float>({1, 1, 2}, {3, -4})
                     .attr("kernel_shape", List{2})
                     .attr("pads", List{1, 0})
                     .attr("p", std::int64_t{1})
                     .run();
  EXPECT_EQ(y[0], Tensor::of<float>({1, 1, 2}, std::vector<float>{3, 7}));
}

}  // namespace
}  // namespace lockstep
