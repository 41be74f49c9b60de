#include <gtest/gtest.h>

#include "support/problem.h"

namespace lockstep {
namespace {

TEST(HardSwish, is_flat_below_minus_three) {
  const auto y = test::OpProblem("HardSwish").input<float>({4}, {-4.f, 0.f, 1.5f, 5.f}).run();
  EXPECT_EQ(y[0], Tensor::of<float>({4}, std::vector<float>{-0.f, 0.f, 1.125f, 5.f}));
}

TEST(HardSwish, of_codes_needs_a_policy) {
  const auto y = test::OpProblem("HardSwish")
                     .input<std::int8_t>({1}, {5}, {{0.5}, {0}, -1})
                     .output({{0.5}, {0}, -1})
                     .try_run();
  EXPECT_FALSE(y.ok());
}

}  // namespace
}  // namespace lockstep
