#include <gtest/gtest.h>

#include "op/op.h"
#include "support/problem.h"

namespace lockstep {
namespace {

using test::OpProblem;
using test::tensor;

TEST(Div, divides_reals_and_truncates_integers) {
  EXPECT_EQ(OpProblem("Div").input<float>({1}, {1}).input<float>({1}, {4}).run()[0],
            (tensor<float>({1}, {0.25f})));
  EXPECT_EQ(OpProblem("Div")
                .input<std::int32_t>({3}, {-7, 7, 1})
                .input<std::int32_t>({3}, {2, -2, 0})
                .run()[0],
            (tensor<std::int32_t>({3}, {-3, -3, 0})));
}

// reals 6 / 1.5 = 4: code 40 at step 0.1
TEST(Div, divides_codes) {
  const auto y = OpProblem("Div", "tflite-ref")
                     .input<std::int8_t>({1}, {12}, {{0.5}, {0}, -1})
                     .input<std::int8_t>({1}, {6}, {{0.25}, {0}, -1})
                     .output({{0.1f}, {0}, -1})
                     .run();
  EXPECT_EQ(y[0].code(0), 40);
}

// LiteRT shifts by 35 here, which x86 takes modulo 32.
TEST(Div, of_zero_shifted_beyond_its_width_is_one_step) {
  const auto y =
      OpProblem("Div", "tflite-ref")
          .input<std::uint8_t>({1}, {255}, {{static_cast<double>(0.00265327f)}, {255}, -1})
          .input<std::uint8_t>({1}, {83}, {{static_cast<double>(0.13926879f)}, {255}, -1})
          .output({{static_cast<double>(0.00230219f)}, {127}, -1})
          .run();
  EXPECT_EQ(y[0].code(0), 128);
}

}  // namespace
}  // namespace lockstep
