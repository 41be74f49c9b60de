#include <gtest/gtest.h>

#include "op/op.h"
#include "support/problem.h"

namespace lockstep {
namespace {

using test::OpProblem;
using test::tensor;

TEST(Svdf, shifts_the_state_and_weighs_it) {
  // newest = 1*2 + 3*1 = 5 behind the old entry 4; y = 10*4 + 1*5 + 100
  const auto y = OpProblem("Svdf")
                     .input<float>({1, 2}, {1, 3})
                     .constant<float>({1, 2}, {2, 1})
                     .constant<float>({1, 2}, {10, 1})
                     .constant<float>({1}, {100})
                     .input<float>({1, 2}, {7, 4})
                     .output({})
                     .output({})
                     .run();
  EXPECT_EQ(y[0], (tensor<float>({1, 1}, {145})));
  EXPECT_EQ(y[1], (tensor<float>({1, 2}, {4, 5})));
}

TEST(Svdf, keeps_codes_of_the_state_in_their_range) {
  const auto y = OpProblem("Svdf", "tflite-ref")
                     .input<std::int8_t>({1, 1}, {127}, {{1.0}, {0}, -1})
                     .constant<std::int8_t>({1, 1}, {127}, {{1.0}, {0}, -1})
                     .constant<std::int8_t>({1, 2}, {1, 1}, {{1.0}, {0}, -1})
                     .constant<std::int32_t>({1}, {0}, {{1.0}, {0}, -1})
                     .input<std::int8_t>({1, 2}, {9, -3}, {{1.0}, {0}, -1})
                     .output({{2.0}, {0}, -1})
                     .output({{1.0}, {0}, -1})
                     .run();
  EXPECT_EQ(y[1], (tensor<std::int8_t>({1, 2}, {-3, 127})));
  EXPECT_EQ(y[0].code(0), 62);
}

}  // namespace
}  // namespace lockstep
