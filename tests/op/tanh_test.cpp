#include <gtest/gtest.h>

#include "support/problem.h"

namespace lockstep {
namespace {

TEST(Tanh, is_odd) {
  const auto y = test::OpProblem("Tanh").input<float>({2}, {1.f, -1.f}).run();
  EXPECT_EQ(y[0], Tensor::of<float>({2}, std::vector<float>{0.7615942f, -0.7615942f}));
}

TEST(Tanh, of_codes_needs_a_policy) {
  const auto y = test::OpProblem("Tanh")
                     .input<std::int8_t>({1}, {5}, {{0.5}, {0}, -1})
                     .output({{0.5}, {0}, -1})
                     .try_run();
  EXPECT_FALSE(y.ok());
}

}  // namespace
}  // namespace lockstep
