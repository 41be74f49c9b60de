#include <gtest/gtest.h>

#include "support/problem.h"

namespace lockstep {
namespace {

TEST(MatMulInteger, takes_the_zero_points_off_before_it_sums) {  // (12-10)*1 + (11-10)*4
  const auto y = test::OpProblem("MatMulInteger")
                     .input<std::uint8_t>({1, 2}, {12, 11})
                     .input<std::uint8_t>({2, 1}, {1, 4})
                     .constant<std::uint8_t>({}, {10})
                     .run();
  EXPECT_EQ(y[0], (Tensor::of<std::int32_t>({1, 1}, std::vector<std::int32_t>{6})));
}

TEST(MatMulInteger, takes_one_zero_point_per_column) {
  const auto y = test::OpProblem("MatMulInteger")
                     .input<std::int8_t>({1, 1}, {-3})
                     .input<std::int8_t>({1, 2}, {2, 2})
                     .absent()
                     .constant<std::int8_t>({2}, {0, 1})
                     .run();
  EXPECT_EQ(y[0], (Tensor::of<std::int32_t>({1, 2}, std::vector<std::int32_t>{-6, -3})));
}

}  // namespace
}  // namespace lockstep
