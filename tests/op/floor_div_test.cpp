#include <gtest/gtest.h>

#include "support/problem.h"

namespace lockstep {
namespace {

TEST(FloorDiv, rounds_down_on_either_side_of_zero) {
  const auto whole = test::OpProblem("FloorDiv")
                         .input<std::int32_t>({4}, {7, -7, 7, -6})
                         .input<std::int32_t>({4}, {2, 2, -2, 3})
                         .run();
  EXPECT_EQ(whole[0], test::tensor<std::int32_t>({4}, {3, -4, -4, -2}));
  const auto real =
      test::OpProblem("FloorDiv").input<float>({2}, {7, -7}).input<float>({1}, {2}).run();
  EXPECT_EQ(real[0], test::tensor<float>({2}, {3, -4}));
}

}  // namespace
}  // namespace lockstep
