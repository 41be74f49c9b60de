#include <gtest/gtest.h>

#include "op/op.h"
#include "support/problem.h"

namespace lockstep {
namespace {

using test::OpProblem;
using test::tensor;
using I = std::int64_t;

TEST(Shape, lists_the_extents) {
  EXPECT_EQ(OpProblem("Shape").input<float>({2, 1, 3}, {1, 2, 3, 4, 5, 6}).run()[0],
            tensor<I>({3}, {2, 1, 3}));
}

TEST(Shape, lists_a_part_and_another_type) {
  const auto x = OpProblem("Shape").input<float>({2, 1, 3}, {1, 2, 3, 4, 5, 6});
  EXPECT_EQ(OpProblem(x).attr("start", I{-2}).attr("to", std::string("int32")).run()[0],
            tensor<std::int32_t>({2}, {1, 3}));
  EXPECT_EQ(OpProblem(x).attr("start", I{2}).attr("end", I{1}).run()[0].shape(), (Shape{0}));
}

}  // namespace
}  // namespace lockstep
