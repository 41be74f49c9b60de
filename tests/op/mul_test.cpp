#include <gtest/gtest.h>

#include "op/op.h"
#include "support/problem.h"

namespace lockstep {
namespace {

using test::OpProblem;
using test::tensor;

TEST(Mul, multiplies_reals) {
  EXPECT_EQ(OpProblem("Mul").input<float>({2}, {1.5f, 2}).input<float>({2}, {4, -1}).run()[0],
            (tensor<float>({2}, {6, -2})));
}

// (5 - 1) * (7 - 3) * (0.5 * 0.5 / 0.25) = 16
TEST(Mul, multiplies_codes) {
  const auto y = OpProblem("Mul", "tflite-ref")
                     .input<std::int8_t>({1}, {5}, {{0.5}, {1}, -1})
                     .input<std::int8_t>({1}, {7}, {{0.5}, {3}, -1})
                     .output({{0.25}, {-2}, -1})
                     .run();
  EXPECT_EQ(y[0].code(0), 14);
}

}  // namespace
}  // namespace lockstep
