#include <gtest/gtest.h>

#include "op/op.h"
#include "support/problem.h"

namespace lockstep {
namespace {

using test::OpProblem;
using test::tensor;
using I = std::int64_t;

TEST(Tile, repeats_each_axis) {
  const auto y =
      OpProblem("Tile").input<std::int8_t>({1, 2}, {1, 2}).constant<I>({2}, {2, 2}).run();
  EXPECT_EQ(y[0], tensor<std::int8_t>({2, 4}, {1, 2, 1, 2, 1, 2, 1, 2}));
}

TEST(Tile, gives_channels_repeated_along_their_axis_their_own_scales_again) {
  const auto y = OpProblem("Tile")
                     .input<std::int8_t>({2}, {1, 2}, {{0.5, 0.25}, {0, 0}, 0})
                     .constant<I>({1}, {2})
                     .output({{0.5, 0.25, 0.5, 0.25}, {0, 0, 0, 0}, 0})
                     .try_run();
  EXPECT_TRUE(y.ok());
}

TEST(Tile, refuses_a_negative_number_or_too_few) {
  EXPECT_FALSE(
      OpProblem("Tile").input<float>({1, 2}, {1, 2}).constant<I>({2}, {1, -1}).try_run().ok());
  EXPECT_FALSE(OpProblem("Tile").input<float>({1, 2}, {1, 2}).constant<I>({1}, {1}).try_run().ok());
}

}  // namespace
}  // namespace lockstep
