#include <gtest/gtest.h>

#include "op/op.h"
#include "support/problem.h"

namespace lockstep {
namespace {

using test::OpProblem;
using test::tensor;
using I = std::int64_t;

TEST(Unsqueeze, counts_the_axes_in_the_result) {
  const auto x = OpProblem("Unsqueeze").input<float>({2}, {3, 4});
  EXPECT_EQ(OpProblem(x).attr("axes", Shape{0, -1}).run()[0], tensor<float>({1, 2, 1}, {3, 4}));
  EXPECT_EQ(OpProblem(x).constant<std::int32_t>({}, {1}).run()[0].shape(), (Shape{2, 1}));
}

TEST(Unsqueeze, refuses_an_axis_named_twice) {
  EXPECT_FALSE(
      OpProblem("Unsqueeze").input<float>({2}, {3, 4}).attr("axes", Shape{0, -3}).try_run().ok());
}

}  // namespace
}  // namespace lockstep
