#include <gtest/gtest.h>

#include "op/op.h"
#include "support/problem.h"

namespace lockstep {
namespace {

using test::OpProblem;
using test::tensor;
using I = std::int64_t;

TEST(ConstantOfShape, repeats_the_value_or_float_zero) {
  const auto x = OpProblem("ConstantOfShape").constant<I>({2}, {1, 2});
  EXPECT_EQ(OpProblem(x).run()[0], tensor<float>({1, 2}, {0, 0}));
  const auto seven = std::make_shared<const Tensor>(tensor<std::int32_t>({1}, {7}));
  EXPECT_EQ(OpProblem(x).attr("value", seven).run()[0], tensor<std::int32_t>({1, 2}, {7, 7}));
}

TEST(ConstantOfShape, makes_a_scalar_of_an_empty_shape_and_refuses_a_negative_extent) {
  EXPECT_EQ(OpProblem("ConstantOfShape").constant<I>({0}, {}).run()[0], tensor<float>({}, {0}));
  EXPECT_FALSE(OpProblem("ConstantOfShape").constant<I>({1}, {-1}).try_run().ok());
}

}  // namespace
}  // namespace lockstep
