#include <gtest/gtest.h>

#include "support/problem.h"

namespace lockstep {
namespace {

TEST(MatMulInteger, subtracts_a_zero_point_for_each_column_of_b) {
  const auto y = test::OpProblem("MatMulInteger")
                     .input<std::uint8_t>({1, 2}, {10, 20})
                     .input<std::int8_t>({2, 2}, {1, 2, 3, 4})
                     .input<std::uint8_t>({}, {10})
                     .input<std::int8_t>({2}, {0, 1})
                     .run();
  EXPECT_EQ(y[0], (Tensor::of<std::int32_t>({1, 2}, std::vector<std::int32_t>{30, 30})));
}

}  // namespace
}  // namespace lockstep
