#include <gtest/gtest.h>

#include "support/problem.h"

namespace lockstep {
namespace {

TEST(Trilu, keeps_what_lies_above_the_diagonal) {
  const auto y = test::OpProblem("Trilu").input<float>({2, 3}, {1, 2, 3, 4, 5, 6}).run();
  EXPECT_EQ(y[0], (test::tensor<float>({2, 3}, {1, 2, 3, 0, 5, 6})));
}

TEST(Trilu, keeps_what_lies_below_a_shifted_one) {
  const auto y = test::OpProblem("Trilu")
                     .input<float>({2, 3}, {1, 2, 3, 4, 5, 6})
                     .constant<std::int64_t>({}, {1})
                     .attr("upper", std::int64_t{0})
                     .run();
  EXPECT_EQ(y[0], (test::tensor<float>({2, 3}, {1, 2, 0, 4, 5, 6})));
}

}  // namespace
}  // namespace lockstep
