#include <gtest/gtest.h>

#include "op/op.h"
#include "support/problem.h"

namespace lockstep {
namespace {

using test::OpProblem;
using test::tensor;
using I = std::int64_t;

TEST(Squeeze, drops_the_axes_of_the_attribute_or_of_the_input) {
  const auto x = OpProblem("Squeeze").input<std::int8_t>({1, 2, 1}, {3, 4});
  EXPECT_EQ(OpProblem(x).attr("axes", Shape{-1}).run()[0], tensor<std::int8_t>({1, 2}, {3, 4}));
  EXPECT_EQ(OpProblem(x).constant<I>({1}, {0}).run()[0].shape(), (Shape{2, 1}));
}

TEST(Squeeze, drops_every_extent_of_1_when_none_is_named) {
  EXPECT_EQ(OpProblem("Squeeze").input<float>({1, 2, 1}, {3, 4}).run()[0],
            tensor<float>({2}, {3, 4}));
}

TEST(Squeeze, refuses_an_axis_that_is_longer_than_1) {
  EXPECT_FALSE(
      OpProblem("Squeeze").input<float>({1, 2}, {3, 4}).attr("axes", Shape{1}).try_run().ok());
}

}  // namespace
}  // namespace lockstep
