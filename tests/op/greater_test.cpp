#include <gtest/gtest.h>

#include "support/problem.h"

namespace lockstep {
namespace {

TEST(Greater, compares_element_by_element) {
  const auto y =
      test::OpProblem("Greater").input<float>({3}, {1, 2, 3}).input<float>({1}, {2}).run()[0];
  ASSERT_EQ(y.dtype(), DType::boolean);
  EXPECT_EQ(y.code(0), 0);
  EXPECT_EQ(y.code(1), 0);
  EXPECT_EQ(y.code(2), 1);
}

}  // namespace
}  // namespace lockstep
