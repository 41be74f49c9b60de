#include <gtest/gtest.h>

#include "support/problem.h"

namespace lockstep {
namespace {

TEST(Shrink, takes_the_bias_off_what_is_left) {
  const auto y = test::OpProblem("Shrink")
                     .input<float>({4}, {-2, -1, 0.5f, 3})
                     .attr("lambd", 1.0)
                     .attr("bias", 0.5)
                     .run();
  EXPECT_EQ(y[0], test::tensor<float>({4}, {-1.5f, 0, 0, 2.5f}));
}

}  // namespace
}  // namespace lockstep
