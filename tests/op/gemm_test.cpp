#include <gtest/gtest.h>

#include "op/op.h"
#include "op/op_hybrid.h"
#include "support/problem.h"

namespace lockstep {
namespace {

using test::OpProblem;
using test::tensor;

TEST(Gemm, multiplies_and_adds) {
  const auto y = OpProblem("Gemm")
                     .input<float>({1, 2}, {1, 2})
                     .constant<float>({2, 3}, {1, 2, 3, 4, 5, 6})
                     .constant<float>({3}, {10, 20, 30})
                     .attr("alpha", 2.0)
                     .attr("beta", 0.5)
                     .run();
  EXPECT_EQ(y[0], (tensor<float>({1, 3}, {23, 34, 45})));
}

TEST(Gemm, reads_transposed_operands_and_flattens) {
  const auto y = OpProblem("Gemm")
                     .input<float>({1, 2, 2}, {1, 2, 3, 4})
                     .constant<float>({1, 2}, {1, 10})
                     .attr("transB", std::int64_t{1})
                     .attr("flatten", std::int64_t{1})
                     .attr("keep_dims", std::int64_t{1})
                     .run();
  EXPECT_EQ(y[0], (tensor<float>({1, 2, 1}, {21, 43})));
}

// acc = (9 - 1) * 3 + 5 = 29, times 1/4: 7.25 rounds once to 7
TEST(Gemm, codes_are_requantized_once_in_double) {
  const auto y = OpProblem("Gemm", "tflite-ref")
                     .input<std::int8_t>({1, 1}, {9}, {{0.5}, {1}, -1})
                     .constant<std::int8_t>({1, 1}, {3}, {{0.5}, {0}, -1})
                     .constant<std::int32_t>({1}, {5})
                     .output({{1.0}, {0}, -1})
                     .run();
  EXPECT_EQ(y[0].code(0), 7);
}

// -3/4: LiteRT's product of 32-bit sums rounds -1/2 up; a bias of 64 bits brings the reference
// kernel. 29/4 rounded twice is 8, by a 16-bit multiplier 7.
TEST(Gemm, of_16_bit_codes_the_bias_says_how_sums_are_rounded) {
  const auto code = [](const char* arith, std::int16_t x, int bias, std::int64_t sum_bits = 0) {
    OpProblem p("Gemm", arith);
    p.input<std::int16_t>({1, 1}, {x}, {{0.5}, {0}, -1})
        .constant<std::int8_t>({1, 1}, {1}, {{0.5}, {0}, -1});
    if (bias == 32) p.constant<std::int32_t>({1}, {0});
    if (bias == 64) p.constant<std::int64_t>({1}, {0});
    if (sum_bits) p.attr("sum_bits", sum_bits);
    return p.output({{1.0}, {0}, -1}).run()[0].code(0);
  };
  EXPECT_EQ(code("tflite", -3, 0, 64), -1);
  EXPECT_EQ(code("tflite", -3, 0, 32), 0);
  EXPECT_EQ(code("cmsis-nn", 29, 0, 32), 8);
  EXPECT_EQ(code("tflite", -3, 0), 0);
  EXPECT_EQ(code("tflite", -3, 32), 0);
  EXPECT_EQ(code("tflite", -3, 64), -1);
  EXPECT_EQ(code("tflite-ref", -3, 32), -1);
  EXPECT_EQ(code("cmsis-nn", 29, 32), 8);
  EXPECT_EQ(code("cmsis-nn", 29, 64), 7);
  EXPECT_EQ(code("cmsis-nn", 29, 0), 7);
}

// A product of scales held in float32 would make 31353, as TFLite Micro does not under a bias of 32
// bits.
TEST(Gemm, of_16_bit_codes_under_a_32_bit_bias_has_its_multiplier_in_double_in_tflite_micro) {
  const double x = static_cast<double>(0.1f), w = static_cast<double>(0.003f),
               y = static_cast<double>(0.03f);
  const auto code = OpProblem("Gemm", "cmsis-nn")
                        .input<std::int16_t>({1, 1}, {24687}, {{x}, {0}, -1})
                        .constant<std::int8_t>({1, 1}, {127}, {{w}, {0}, -1})
                        .constant<std::int32_t>({1}, {0})
                        .output({{y}, {0}, -1})
                        .run()[0]
                        .code(0);
  EXPECT_EQ(code, 31352);
}

// row 1, -2: step 2/127, codes 64 (63.5 away from zero) and -127; weights 1, 1 of step 0.5
TEST(Gemm, codes_float_rows_under_coded_weights) {
  const auto y = OpProblem("Gemm", "tflite-ref")
                     .input<float>({1, 2}, {1, -2})
                     .constant<std::int8_t>({2, 1}, {1, 1}, {{0.5}, {0}, -1})
                     .run();
  EXPECT_EQ(y[0], (tensor<float>({1, 1}, {-63 * ((2.0f / 127) * 0.5f)})));
}

// Files of the first converters call the signed bytes under float activations uint8; they were once
// read without sign.
TEST(Gemm, weights_called_uint8_under_floats_are_signed_bytes) {
  Tensor w(DType::u8, {3});
  w.as<std::uint8_t>()[0] = 127, w.as<std::uint8_t>()[1] = 129, w.as<std::uint8_t>()[2] = 255;
  EXPECT_EQ(hybrid_weights(w), (std::vector<std::int32_t>{127, -127, -1}));
}

// -96/64: LiteRT's product makes it -1, XNNPACK and the reference kernel -2.
TEST(Gemm, of_unsigned_codes_that_xnnpack_leaves_rounds_minus_a_half_up) {
  const auto code = [](bool left, const char* arithmetic) {
    OpProblem p("Gemm", arithmetic);
    p.input<std::uint8_t>({1, 1}, {32}, {{1.0}, {128}, -1})
        .constant<std::uint8_t>({1, 1}, {129}, {{1.0}, {128}, -1});
    if (left) p.attr("kernel", std::string("left"));
    return p.output({{64.0}, {128}, -1}).run()[0].code(0);
  };
  EXPECT_EQ(code(true, "tflite"), 127);
  EXPECT_EQ(code(false, "tflite"), 126);
  EXPECT_EQ(code(false, "tflite-ref"), 126);
}

// Coded around zero in 127 steps of the greatest magnitude, not with a zero point between the least
// and the greatest.
TEST(Gemm, of_floats_that_xnnpack_leaves_codes_them_symmetrically) {
  const auto product = [](const char* kernel) {
    return test::OpProblem("Gemm", "tflite")
        .input<float>({1, 3}, {1, -0.25f, 0.1f})
        .constant<std::int8_t>({1, 3}, {1, 1, 1}, {{1.0}, {0}, -1})
        .attr("transB", std::int64_t{1})
        .attr("kernel", std::string(kernel))
        .run()[0]
        .as<float>()[0];
  };
  EXPECT_FLOAT_EQ(product("left"), 108.0f / 127.0f);
  EXPECT_NE(product(""), product("left"));
}

}  // namespace
}  // namespace lockstep
