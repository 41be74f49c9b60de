#include <gtest/gtest.h>

#include "op/op.h"
#include "support/problem.h"

namespace lockstep {
namespace {

using test::OpProblem;
using test::tensor;

TEST(L2Normalization, divides_by_the_length) {
  EXPECT_EQ(OpProblem("L2Normalization").input<float>({1, 2}, {3, 4}).run()[0],
            (tensor<float>({1, 2}, {0.6f, 0.8f})));
}

// 3/5 and 4/5 in steps of 1/128: 76.8 and 102.4
TEST(L2Normalization, of_codes) {
  const auto y = OpProblem("L2Normalization", "tflite-ref")
                     .input<std::int8_t>({1, 2}, {31, 41}, {{0.1}, {1}, -1})
                     .output({{1.0 / 128}, {0}, -1})
                     .run();
  EXPECT_EQ(y[0], (tensor<std::int8_t>({1, 2}, {77, 102})));
}

}  // namespace
}  // namespace lockstep
