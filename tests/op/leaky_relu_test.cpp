#include <gtest/gtest.h>

#include "support/problem.h"

namespace lockstep {
namespace {

TEST(LeakyRelu, scales_only_negative_reals) {
  const auto y =
      test::OpProblem("LeakyRelu").input<float>({2}, {-2.f, 2.f}).attr("alpha", 0.5).run();
  EXPECT_EQ(y[0], Tensor::of<float>({2}, std::vector<float>{-1.f, 2.f}));
}

TEST(LeakyRelu, of_codes_needs_a_policy) {
  const auto y = test::OpProblem("LeakyRelu")
                     .input<std::int8_t>({1}, {5}, {{0.5}, {0}, -1})
                     .output({{0.5}, {0}, -1})
                     .try_run();
  EXPECT_FALSE(y.ok());
}

}  // namespace
}  // namespace lockstep
