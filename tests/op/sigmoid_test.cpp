#include <gtest/gtest.h>

#include "support/problem.h"

namespace lockstep {
namespace {

TEST(Sigmoid, is_a_half_at_zero) {
  const auto y = test::OpProblem("Sigmoid").input<float>({3}, {0.f, 1.f, -100.f}).run();
  EXPECT_EQ(y[0], Tensor::of<float>({3}, std::vector<float>{0.5f, 0.7310586f, 3.783506e-44f}));
}

TEST(Sigmoid, of_codes_needs_a_policy) {
  const auto y = test::OpProblem("Sigmoid")
                     .input<std::int8_t>({1}, {5}, {{0.5}, {0}, -1})
                     .output({{0.5}, {0}, -1})
                     .try_run();
  EXPECT_FALSE(y.ok());
}

}  // namespace
}  // namespace lockstep
