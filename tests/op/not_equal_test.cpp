#include <gtest/gtest.h>

#include "support/problem.h"

namespace lockstep {
namespace {

using test::OpProblem;

TEST(NotEqual, compares_element_by_element) {
  const auto y = OpProblem("NotEqual").input<float>({3}, {1, 2, 3}).input<float>({1}, {2}).run()[0];
  ASSERT_EQ(y.dtype(), DType::boolean);
  EXPECT_EQ(y.code(0), 1);
  EXPECT_EQ(y.code(1), 0);
  EXPECT_EQ(y.code(2), 1);
}

// By hand: (7 - 1) * 256 / 4 = 384 = (5 - 2) * 256 / 2, and 8 steps of 1/1024 are 2, 9 steps 2.25
// of the grid.
TEST(NotEqual, compares_rescaled_codes_by_their_values_on_the_grid_of_the_runtime) {
  const auto differ = [](int a, QuantParams of_a, int b, QuantParams of_b) {
    return OpProblem("NotEqual")
        .input<std::int8_t>({1}, {static_cast<std::int8_t>(a)}, std::move(of_a))
        .input<std::int8_t>({1}, {static_cast<std::int8_t>(b)}, std::move(of_b))
        .attr("rescaled", std::int64_t{1})
        .run()[0]
        .code(0);
  };
  EXPECT_EQ(differ(7, {{0.25}, {1}, -1}, 5, {{0.5}, {2}, -1}), 0);
  EXPECT_EQ(differ(8, {{0.25}, {1}, -1}, 5, {{0.5}, {2}, -1}), 1);
  const QuantParams fine{{1.0 / 1024}, {0}, -1};
  EXPECT_EQ(differ(8, fine, 9, fine), 0);
  EXPECT_EQ(differ(8, fine, 11, fine), 1);
}

}  // namespace
}  // namespace lockstep
