#include <gtest/gtest.h>

#include "op/op.h"
#include "support/problem.h"

namespace lockstep {
namespace {

using test::OpProblem;
using test::tensor;

TEST(SquaredDifference, of_reals_and_codes) {
  EXPECT_EQ(OpProblem("SquaredDifference").input<float>({1}, {5}).input<float>({1}, {2}).run()[0],
            (tensor<float>({1}, {9})));
  const auto y = OpProblem("SquaredDifference", "tflite-ref")
                     .input<std::int8_t>({1}, {10}, {{0.5}, {0}, -1})
                     .input<std::int8_t>({1}, {4}, {{0.5}, {0}, -1})
                     .output({{0.5}, {1}, -1})
                     .run();
  EXPECT_EQ(y[0].code(0), 19);  // 3^2 = 9 is 18 steps
}

TEST(SquaredDifference, of_16_bit_codes_does_not_overflow) {  // as TFLite Micro answers
  const auto y =
      OpProblem("SquaredDifference", "cmsis-nn")
          .input<std::int16_t>({1}, {30691}, {{static_cast<double>(0.09635162f)}, {0}, -1})
          .input<std::int16_t>({1}, {8855}, {{static_cast<double>(0.00477926f)}, {0}, -1})
          .output({{static_cast<double>(0.09774467f)}, {0}, -1})
          .run();
  EXPECT_EQ(y[0].code(0), 32767);
}

}  // namespace
}  // namespace lockstep
