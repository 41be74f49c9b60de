#include <gtest/gtest.h>

#include "support/problem.h"

namespace lockstep {
namespace {

using test::OpProblem;
using test::tensor;

TEST(NonZero, names_rows_and_columns_in_the_order_of_x) {
  const auto y = OpProblem("NonZero").constant<float>({2, 3}, {0, 1, -0.f, 2, 0, 3}).run();
  EXPECT_EQ(y[0], (tensor<std::int64_t>({2, 3}, {0, 1, 1, 1, 0, 2})));
}

TEST(NonZero, of_zeros_names_nothing) {
  EXPECT_EQ(OpProblem("NonZero").constant<std::int8_t>({3}, {0, 0, 0}).run()[0],
            (tensor<std::int64_t>({1, 0}, {})));
}

TEST(NonZero, refuses_an_x_that_comes_with_the_run) {
  EXPECT_FALSE(OpProblem("NonZero").input<float>({2}, {0, 1}).try_run().ok());
}

}  // namespace
}  // namespace lockstep
