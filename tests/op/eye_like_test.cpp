#include <gtest/gtest.h>

#include "support/problem.h"

namespace lockstep {
namespace {

TEST(EyeLike, puts_ones_on_the_asked_diagonal) {
  const auto y = test::OpProblem("EyeLike")
                     .input<float>({2, 3}, {9, 9, 9, 9, 9, 9})
                     .attr("k", std::int64_t{1})
                     .run();
  EXPECT_EQ(y[0], Tensor::of<float>({2, 3}, std::vector<float>{0, 1, 0, 0, 0, 1}));
}

TEST(EyeLike, in_the_asked_type) {
  const auto y = test::OpProblem("EyeLike")
                     .input<float>({2, 2}, {9, 9, 9, 9})
                     .attr("dtype", std::int64_t{7})
                     .run();
  EXPECT_EQ(y[0], Tensor::of<std::int64_t>({2, 2}, std::vector<std::int64_t>{1, 0, 0, 1}));
}

}  // namespace
}  // namespace lockstep
