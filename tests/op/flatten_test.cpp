#include <gtest/gtest.h>

#include "op/op.h"
#include "support/problem.h"

namespace lockstep {
namespace {

using test::OpProblem;
using test::tensor;
using I = std::int64_t;

TEST(Flatten, makes_two_extents_around_the_axis) {
  const auto x = OpProblem("Flatten").input<std::int32_t>({2, 1, 3}, {1, 2, 3, 4, 5, 6});
  EXPECT_EQ(OpProblem(x).run()[0], tensor<std::int32_t>({2, 3}, {1, 2, 3, 4, 5, 6}));
  EXPECT_EQ(OpProblem(x).attr("axis", I{0}).run()[0].shape(), (Shape{1, 6}));
  EXPECT_EQ(OpProblem(x).attr("axis", I{-1}).run()[0].shape(), (Shape{2, 3}));
  EXPECT_EQ(OpProblem(x).attr("axis", I{3}).run()[0].shape(), (Shape{6, 1}));
}

TEST(Flatten, refuses_an_axis_beyond_the_rank) {
  EXPECT_FALSE(OpProblem("Flatten").input<float>({2}, {1, 2}).attr("axis", I{2}).try_run().ok());
}

}  // namespace
}  // namespace lockstep
