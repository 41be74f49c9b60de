#include <gtest/gtest.h>

#include "op/op.h"
#include "support/problem.h"

namespace lockstep {
namespace {

using test::OpProblem;
using test::tensor;
using I = std::int64_t;

TEST(Concat, puts_parts_after_each_other_along_the_axis) {
  const auto parts =
      OpProblem("Concat").input<float>({2, 1}, {1, 2}).input<float>({2, 2}, {3, 4, 5, 6});
  EXPECT_EQ(OpProblem(parts).attr("axis", I{-1}).run()[0],
            tensor<float>({2, 3}, {1, 3, 4, 2, 5, 6}));
}

TEST(Concat, passes_over_empty_parts) {
  const auto y =
      OpProblem("Concat").input<I>({0}, {}).input<I>({2}, {7, 8}).attr("axis", I{0}).run();
  EXPECT_EQ(y[0], tensor<I>({2}, {7, 8}));
}

TEST(Concat, refuses_parts_that_differ_beside_the_axis) {
  EXPECT_FALSE(OpProblem("Concat")
                   .input<float>({2, 1}, {1, 2})
                   .input<float>({1, 1}, {3})
                   .attr("axis", I{1})
                   .try_run()
                   .ok());
}

TEST(Concat, refuses_codes_of_another_scale_where_nothing_requantizes) {
  EXPECT_FALSE(OpProblem("Concat", "float")
                   .input<std::int8_t>({1}, {1}, {{0.5}, {0}, -1})
                   .input<std::int8_t>({1}, {2}, {{0.25}, {0}, -1})
                   .attr("axis", I{0})
                   .output({{0.5}, {0}, -1})
                   .try_run()
                   .ok());
}

TEST(Concat, requantizes_codes_of_another_scale_where_the_arithmetic_does) {
  const auto y = OpProblem("Concat", "tflite-ref")
                     .input<std::int8_t>({2}, {4, -6}, {{0.5}, {0}, -1})
                     .input<std::int8_t>({2}, {4, 127}, {{1.0}, {-2}, -1})
                     .attr("axis", I{0})
                     .output({{0.5}, {0}, -1})
                     .run();
  EXPECT_EQ(y[0], tensor<std::int8_t>({4}, {4, -6, 12, 127}));  // (4 + 2) * 1 / 0.5; 258 saturates
}

}  // namespace
}  // namespace lockstep
