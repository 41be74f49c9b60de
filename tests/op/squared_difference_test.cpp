#include <gtest/gtest.h>

#include "op/op.h"
#include "support/problem.h"

namespace lockstep {
namespace {

using test::OpProblem;
using test::tensor;

TEST(SquaredDifference, of_reals_and_codes) {
  EXPECT_EQ(OpProblem("SquaredDifference").input<float>({1}, {5}).input<float>({1}, {2}).run()[0], (tensor<float>({1}, {9})));
  const auto y = OpProblem("SquaredDifference", "tflite-ref")
                     .input<std::int8_t>({1}, {10}, {{0.5}, {0}, -1})
                     .input<std::int8_t>({1}, {4}, {{0.5}, {0}, -1})
                     .output({{0.5}, {1}, -1})
                     .run();
  EXPECT_EQ(y[0].code(0), 19);  // 3^2 = 9 is 18 steps
}

}  // namespace
}  // namespace lockstep
