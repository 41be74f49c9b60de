#include <gtest/gtest.h>

#include <cmath>

#include "support/problem.h"

namespace lockstep {
namespace {

TEST(IsInf, of_the_signs_that_are_asked) {
  const auto y = test::OpProblem("IsInf")
                     .input<float>({4}, {1.f, HUGE_VALF, -HUGE_VALF, std::nanf("")})
                     .attr("detect_negative", std::int64_t{0})
                     .run();
  EXPECT_EQ(y[0].code(0), 0);
  EXPECT_EQ(y[0].code(1), 1);
  EXPECT_EQ(y[0].code(2), 0);
  EXPECT_EQ(y[0].code(3), 0);
}

}  // namespace
}  // namespace lockstep
