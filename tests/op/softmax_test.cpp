#include <gtest/gtest.h>

#include "op/op.h"
#include "support/problem.h"

namespace lockstep {
namespace {

using test::OpProblem;
using test::tensor;

TEST(Softmax, sums_to_one_along_the_axis) {
  const auto y = OpProblem("Softmax").input<float>({2, 2}, {0, 0, 5, 5}).run();
  EXPECT_EQ(y[0], (tensor<float>({2, 2}, {0.5f, 0.5f, 0.5f, 0.5f})));
}

TEST(Softmax, of_equal_codes_shares_the_range) {
  const auto y = OpProblem("Softmax", "tflite-ref")
                     .input<std::int8_t>({1, 4}, {7, 7, 7, 7}, {{0.1}, {0}, -1})
                     .output({{1.0 / 256}, {-128}, -1})
                     .run();
  EXPECT_EQ(y[0], (tensor<std::int8_t>({1, 4}, {-64, -64, -64, -64})));
}

// A lone code's term times floor(1 / 0.001) overflows: no code but the zero point is left. Two
// codes overflow from 297 on.
TEST(Softmax, of_a_row_so_short_that_its_term_overflows_is_the_zero_point_in_onnxruntime) {
  const auto of = [](std::vector<std::uint8_t> x, double scale) {
    const auto n = static_cast<std::int64_t>(x.size());
    return OpProblem("Softmax", "ort")
        .input<std::uint8_t>({1, n}, std::move(x), {{0.05}, {128}, -1})
        .output({{scale}, {3}, -1})
        .run()[0];
  };
  EXPECT_EQ(of({9}, 0.001), (tensor<std::uint8_t>({1, 1}, {3})));
  EXPECT_EQ(of({9}, 1.0 / 128), (tensor<std::uint8_t>({1, 1}, {131})));
  EXPECT_EQ(of({9, 9}, 0.001), (tensor<std::uint8_t>({1, 2}, {3, 3})));
  EXPECT_EQ(of({9, 9}, 1.0 / 256), (tensor<std::uint8_t>({1, 2}, {131, 131})));
}

// The least int32 and the zero point of int8 wrap to 127 where that is below 0; codes that the
// runtime holds as uint8 do not.
TEST(Softmax, of_one_int8_code_in_onnxruntime_is_an_end_of_the_range) {
  const auto of = [](std::int32_t zero, const char* held) {
    return OpProblem("Softmax", "ort")
        .input<std::int8_t>({1, 1}, {9}, {{0.05}, {0}, -1})
        .attr("makes", std::string(held))
        .output({{1.0 / 256}, {zero}, -1})
        .run()[0];
  };
  EXPECT_EQ(of(-128, ""), (tensor<std::int8_t>({1, 1}, {127})));
  EXPECT_EQ(of(-1, ""), (tensor<std::int8_t>({1, 1}, {127})));
  EXPECT_EQ(of(0, ""), (tensor<std::int8_t>({1, 1}, {-128})));
  EXPECT_EQ(of(5, ""), (tensor<std::int8_t>({1, 1}, {-128})));
  EXPECT_EQ(of(-128, "unsigned"), (tensor<std::int8_t>({1, 1}, {-128})));
  EXPECT_EQ(of(5, "unsigned"), (tensor<std::int8_t>({1, 1}, {5})));
}

}  // namespace
}  // namespace lockstep
