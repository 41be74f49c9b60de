#include <gtest/gtest.h>

#include <cmath>

#include "support/problem.h"

namespace lockstep {
namespace {

TEST(Atan2, tells_the_four_quarters_apart) {
  const auto y = test::OpProblem("Atan2")
                     .input<float>({4}, {1, 1, -1, 0})
                     .input<float>({4}, {1, -1, 0, -2})
                     .run();
  const auto pi = static_cast<float>(std::acos(-1.0));
  EXPECT_EQ(y[0], Tensor::of<float>({4}, std::vector<float>{pi / 4, 3 * pi / 4, -pi / 2, pi}));
}

}  // namespace
}  // namespace lockstep
