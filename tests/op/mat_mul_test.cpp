#include <gtest/gtest.h>

#include "support/problem.h"

namespace lockstep {
namespace {

TEST(MatMul, multiplies_rows_by_columns) {
  const auto y = test::OpProblem("MatMul").input<float>({2, 2}, {1, 2, 3, 4}).input<float>({2, 1}, {5, 6}).run();
  EXPECT_EQ(y[0], (Tensor::of<float>({2, 1}, std::vector<float>{17, 39})));
}

TEST(MatMul, spreads_the_outer_axes) {
  const auto y = test::OpProblem("MatMul").input<float>({2, 1, 1}, {2, 3}).input<float>({1, 2}, {5, 7}).run();
  EXPECT_EQ(y[0], (Tensor::of<float>({2, 1, 2}, std::vector<float>{10, 14, 15, 21})));
}

TEST(MatMul, of_two_vectors_is_a_scalar) {
  const auto y = test::OpProblem("MatMul").input<std::int32_t>({2}, {2, 3}).input<std::int32_t>({2}, {4, 5}).run();
  EXPECT_EQ(y[0], Tensor::scalar<std::int32_t>(23));
}

TEST(MatMul, refuses_inner_extents_that_differ) {
  EXPECT_FALSE(test::OpProblem("MatMul").input<float>({1, 2}, {1, 2}).input<float>({3, 1}, {1, 2, 3}).try_run().ok());
}

}  // namespace
}  // namespace lockstep
