#include <gtest/gtest.h>

#include "op/op.h"
#include "support/problem.h"

namespace lockstep {
namespace {

using test::OpProblem;
using test::tensor;
using I = std::int64_t;

TEST(Reverse, turns_the_given_axes_round) {
  const auto x = OpProblem("Reverse").input<float>({2, 2}, {1, 2, 3, 4});
  EXPECT_EQ(OpProblem(x).constant<std::int32_t>({1}, {1}).run()[0],
            tensor<float>({2, 2}, {2, 1, 4, 3}));
  EXPECT_EQ(OpProblem(x).constant<std::int32_t>({2}, {0, -1}).run()[0],
            tensor<float>({2, 2}, {4, 3, 2, 1}));
}

TEST(Reverse, moves_codes_between_different_scales_as_they_are) {
  const auto y = OpProblem("Reverse")
                     .input<std::int8_t>({3}, {1, 2, 3}, {{0.5}, {1}, -1})
                     .constant<std::int32_t>({1}, {0})
                     .output({{0.25}, {20}, -1})
                     .run();
  EXPECT_EQ(y[0], tensor<std::int8_t>({3}, {3, 2, 1}));
}

}  // namespace
}  // namespace lockstep
