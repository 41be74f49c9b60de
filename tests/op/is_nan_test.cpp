#include <gtest/gtest.h>

#include <cmath>

#include "support/problem.h"

namespace lockstep {
namespace {

TEST(IsNaN, tells_what_is_no_number) {
  const auto y = test::OpProblem("IsNaN").input<float>({3}, {0.f, std::nanf(""), HUGE_VALF}).run();
  EXPECT_EQ(y[0].dtype(), DType::boolean);
  EXPECT_EQ(y[0].code(0), 0);
  EXPECT_EQ(y[0].code(1), 1);
  EXPECT_EQ(y[0].code(2), 0);
}

}  // namespace
}  // namespace lockstep
