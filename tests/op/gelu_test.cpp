#include <gtest/gtest.h>

#include "support/problem.h"

namespace lockstep {
namespace {

TEST(Gelu, weighs_by_the_normal_distribution) {
  const auto y = test::OpProblem("Gelu").input<float>({2}, {0.f, 1.f}).run();
  EXPECT_EQ(y[0], Tensor::of<float>({2}, std::vector<float>{0.f, 0.8413447460685429f}));
}

TEST(Gelu, by_tanh_differs_in_the_fourth_digit) {
  const auto y = test::OpProblem("Gelu")
                     .input<float>({1}, {1.f})
                     .attr("approximate", std::string("tanh"))
                     .run();
  EXPECT_EQ(y[0], Tensor::of<float>({1}, std::vector<float>{0.841192f}));
}

}  // namespace
}  // namespace lockstep
