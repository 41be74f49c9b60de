#include <gtest/gtest.h>

#include "op/op.h"
#include "support/problem.h"

namespace lockstep {
namespace {

using test::OpProblem;
using test::tensor;
using I = std::int64_t;

TEST(Pack, puts_inputs_along_a_new_axis) {
  const auto x = OpProblem("Pack").input<float>({2}, {1, 2}).input<float>({2}, {3, 4});
  EXPECT_EQ(OpProblem(x).run()[0], tensor<float>({2, 2}, {1, 2, 3, 4}));
  EXPECT_EQ(OpProblem(x).attr("axis", I{-1}).run()[0], tensor<float>({2, 2}, {1, 3, 2, 4}));
}

TEST(Pack, makes_a_vector_of_scalars) {
  EXPECT_EQ(OpProblem("Pack").input<std::int32_t>({}, {1}).input<std::int32_t>({}, {2}).run()[0],
            tensor<std::int32_t>({2}, {1, 2}));
}

TEST(Pack, refuses_inputs_of_two_shapes) {
  EXPECT_FALSE(OpProblem("Pack").input<float>({2}, {1, 2}).input<float>({1}, {3}).try_run().ok());
}

}  // namespace
}  // namespace lockstep
