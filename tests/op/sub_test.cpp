#include <gtest/gtest.h>

#include "op/op.h"
#include "support/problem.h"

namespace lockstep {
namespace {

using test::OpProblem;
using test::tensor;

TEST(Sub, subtracts_reals_and_wraps_integers) {
  EXPECT_EQ(OpProblem("Sub").input<float>({2}, {1, 2}).input<float>({}, {3}).run()[0],
            (tensor<float>({2}, {-2, -1})));
  EXPECT_EQ(OpProblem("Sub")
                .input<std::int32_t>({1}, {-2147483647 - 1})
                .input<std::int32_t>({1}, {1})
                .run()[0],
            (tensor<std::int32_t>({1}, {2147483647})));
}

TEST(Sub, subtracts_codes) {
  const auto y = OpProblem("Sub", "tflite-ref")
                     .input<std::uint8_t>({1}, {200}, {{0.5}, {100}, -1})
                     .input<std::uint8_t>({1}, {30}, {{0.5}, {10}, -1})
                     .output({{0.5}, {1}, -1})
                     .run();
  EXPECT_EQ(y[0].code(0), 81);
}

// LiteRT shifts a difference to the right only; beyond that its shift is x86's.
TEST(Sub, of_codes_finer_than_the_grid_is_not_shifted_left) {
  const auto y = OpProblem("Sub", "tflite-ref")
                     .input<std::int8_t>({1}, {-89}, {{16.0}, {-127}, -1})
                     .input<std::int8_t>({1}, {-3}, {{1000.0}, {-127}, -1})
                     .output({{static_cast<double>(0.0001f)}, {126}, -1})
                     .run();
  EXPECT_EQ(y[0].code(0), 125);
}

}  // namespace
}  // namespace lockstep
