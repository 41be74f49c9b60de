#include <gtest/gtest.h>

#include "support/problem.h"

namespace lockstep {
namespace {

TEST(Clip, cuts_on_both_sides) {
  const auto y = test::OpProblem("Clip")
                     .input<float>({3}, {-2, 0, 7})
                     .input<float>({}, {-1})
                     .input<float>({}, {6})
                     .run();
  EXPECT_EQ(y[0], Tensor::of<float>({3}, std::vector<float>{-1, 0, 6}));
}

TEST(Clip, without_a_lower_bound_cuts_above_only) {
  const auto y = test::OpProblem("Clip")
                     .input<std::int8_t>({2}, {-128, 7})
                     .absent()
                     .input<std::int8_t>({}, {6})
                     .run();
  EXPECT_EQ(y[0], Tensor::of<std::int8_t>({2}, std::vector<std::int8_t>{-128, 6}));
}

TEST(Clip, with_crossed_bounds_yields_the_upper) {
  const auto y = test::OpProblem("Clip")
                     .input<float>({2}, {-2, 9})
                     .input<float>({}, {3})
                     .input<float>({}, {1})
                     .run();
  EXPECT_EQ(y[0], Tensor::of<float>({2}, std::vector<float>{1, 1}));
}

}  // namespace
}  // namespace lockstep
