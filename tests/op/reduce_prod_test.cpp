#include <gtest/gtest.h>

#include "support/problem.h"

namespace lockstep {
namespace {

TEST(ReduceProd, multiplies) {
  const auto y = test::OpProblem("ReduceProd").input<std::int64_t>({3}, {2, 3, 4}).run();
  EXPECT_EQ(y[0], (Tensor::of<std::int64_t>({1}, std::vector<std::int64_t>{24})));
}

// 6 * 5 = 30 at scales 0.5: 7.5, at the result's step 0.25 code 30; by factors of x_scale /
// sqrt(y_scale) = 1.
TEST(ReduceProd, multiplies_codes_factor_by_factor_in_fixed_point) {
  const auto of = [](const char* arith) {
    return test::OpProblem("ReduceProd", arith)
        .input<std::int8_t>({2, 2}, {7, 6, 6, 101}, {{0.5}, {1}, -1})
        .attr("axes", std::vector<std::int64_t>{1})
        .attr("keepdims", std::int64_t{0})
        .output({{0.25f}, {-4}, -1})
        .try_run();
  };
  for (const char* const arith : {"tflite-ref", "tflite"}) {
    const auto y = of(arith);
    ASSERT_TRUE(y.ok()) << y.error().line();
    EXPECT_EQ((*y)[0].code(0), 30 - 4);
    EXPECT_EQ((*y)[0].code(1), 127);
  }
  EXPECT_FALSE(of("ort").ok());
}

}  // namespace
}  // namespace lockstep
