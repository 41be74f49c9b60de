#include <gtest/gtest.h>

#include "op/op.h"
#include "support/problem.h"

namespace lockstep {
namespace {

using test::OpProblem;
using test::tensor;

TEST(Conv, sums_products_under_the_window) {
  // x = 1..9, w = 1 0 / 0 1: y = x[h,w] + x[h+1,w+1] + 10
  const auto y = OpProblem("Conv")
                     .input<float>({1, 1, 3, 3}, {1, 2, 3, 4, 5, 6, 7, 8, 9})
                     .constant<float>({1, 1, 2, 2}, {1, 0, 0, 1})
                     .constant<float>({1}, {10})
                     .run();
  EXPECT_EQ(y[0], (tensor<float>({1, 1, 2, 2}, {16, 18, 22, 24})));
}

TEST(Conv, reads_channels_last_and_pads_with_zero) {
  const auto y = OpProblem("Conv")
                     .input<float>({1, 1, 3, 1}, {1, 2, 3})
                     .constant<float>({1, 1, 3, 1}, {1, 10, 100})
                     .attr("layout", "NHWC")
                     .attr("weights", "OHWI")
                     .attr("pads", std::vector<std::int64_t>{0, 1, 0, 1})
                     .run();
  EXPECT_EQ(y[0], (tensor<float>({1, 1, 3, 1}, {210, 321, 32})));
}

TEST(Conv, depthwise_reads_one_channel_for_each_output) {
  // two channels, multiplier 2: outputs 0 and 1 see channel 0, outputs 2 and 3 channel 1
  const auto y = OpProblem("Conv")
                     .input<float>({1, 1, 1, 2}, {3, 5})
                     .constant<float>({1, 1, 1, 4}, {1, 2, 3, 4})
                     .attr("layout", "NHWC")
                     .attr("weights", "1HWO")
                     .attr("group", std::int64_t{2})
                     .run();
  EXPECT_EQ(y[0], (tensor<float>({1, 1, 1, 4}, {3, 6, 15, 20})));
}

TEST(Conv, codes_are_requantized_with_two_roundings) {
  // acc = (10 - 2) * 3 + 5 = 29; 29 * (0.5 * 0.5 / 1) = 7.25: the first rounding makes 15/2, the
  // second 8
  const auto y = OpProblem("Conv", "tflite-ref")
                     .input<std::int8_t>({1, 1, 1, 1}, {10}, {{0.5}, {2}, -1})
                     .constant<std::int8_t>({1, 1, 1, 1}, {3}, {{0.5}, {0}, -1})
                     .constant<std::int32_t>({1}, {5})
                     .output({{1.0}, {-3}, -1})
                     .run();
  EXPECT_EQ(y[0].code(0), 5);
}

// -3/4 is -1/2 after the first rounding: LiteRT's product takes that up, its reference kernel,
// which has the groups, away from zero.
TEST(Conv, of_16_bit_codes_under_a_32_bit_bias_is_rounded_half_up_by_litert) {
  const auto code = [](const char* arith, std::int64_t groups) {
    return OpProblem("Conv", arith)
        .input<std::int16_t>({1, groups, 1, 1},
                             std::vector<std::int16_t>(static_cast<std::size_t>(groups), -3),
                             {{0.5}, {0}, -1})
        .constant<std::int8_t>({groups, 1, 1, 1},
                               std::vector<std::int8_t>(static_cast<std::size_t>(groups), 1),
                               {{0.5}, {0}, -1})
        .constant<std::int32_t>({groups},
                                std::vector<std::int32_t>(static_cast<std::size_t>(groups)))
        .attr("group", groups)
        .output({{1.0}, {0}, -1})
        .run()[0]
        .code(0);
  };
  EXPECT_EQ(code("tflite", 1), 0);
  EXPECT_EQ(code("tflite", 2), -1);
  EXPECT_EQ(code("tflite-ref", 1), -1);
  EXPECT_EQ(code("cmsis-nn", 1), -1);
}

TEST(Conv, fused_relu6_clamps_at_the_codes_of_zero_and_six) {
  const auto y = OpProblem("Conv", "tflite-ref")
                     .input<std::int8_t>({1, 1, 1, 2}, {100, -100}, {{1.0}, {0}, -1})
                     .constant<std::int8_t>({1, 1, 1, 1}, {1}, {{1.0}, {0}, -1})
                     .attr("activation", "relu6")
                     .output({{0.1}, {-10}, -1})
                     .run();
  EXPECT_EQ(y[0].code(0), 50);
  EXPECT_EQ(y[0].code(1), -10);
}

TEST(Conv, refuses_groups_that_do_not_divide_the_channels) {
  const auto y = OpProblem("Conv")
                     .input<float>({1, 3, 2, 2}, std::vector<float>(12))
                     .constant<float>({2, 1, 1, 1}, {1, 1})
                     .attr("group", std::int64_t{2})
                     .try_run();
  ASSERT_FALSE(y.ok());
  EXPECT_NE(y.error().what.find("3 channels"), std::string::npos);
}

// XNNPACK leaves uint8 weights whose one scale names an axis to LiteRT, which rounds twice: groups
// as its reference does.
TEST(Conv, of_unsigned_codes_that_xnnpack_leaves_is_rounded_by_litert) {
  std::vector<std::uint8_t> x;
  for (int i = 0; i < 256; ++i) x.push_back(static_cast<std::uint8_t>(i));
  const auto answer = [&](const char* arithmetic, bool left) {
    OpProblem problem("Conv", arithmetic);
    problem.input<std::uint8_t>({1, 1, 128, 2}, x, {{static_cast<double>(0.02713346f)}, {255}, -1})
        .constant<std::uint8_t>({2, 1, 1, 1}, {211, 211},
                                {{static_cast<double>(0.00100979f)}, {127}, -1})
        .attr("layout", std::string("NHWC"))
        .attr("weights", std::string("OHWI"))
        .attr("group", std::int64_t{2})
        .output({{static_cast<double>(0.0012304f)}, {127}, -1});
    if (left) problem.attr("kernel", std::string("left"));
    return problem.run()[0];
  };
  EXPECT_EQ(answer("tflite", true), answer("tflite-ref", false));
  EXPECT_NE(answer("tflite", false), answer("tflite-ref", false));
}

// -32/64: LiteRT's product rounds its second half up, its depthwise kernel away from zero.
TEST(Conv, of_one_group_of_unsigned_codes_that_xnnpack_leaves_rounds_minus_a_half_up) {
  const auto code = [](const char* weights) {
    return OpProblem("Conv", "tflite")
        .input<std::uint8_t>({1, 1, 1, 1}, {96}, {{1.0}, {128}, -1})
        .constant<std::uint8_t>({1, 1, 1, 1}, {129}, {{1.0}, {128}, -1})
        .attr("layout", std::string("NHWC"))
        .attr("weights", std::string(weights))
        .attr("kernel", std::string("left"))
        .output({{64.0}, {128}, -1})
        .run()[0]
        .code(0);
  };
  EXPECT_EQ(code("OHWI"), 128);
  EXPECT_EQ(code("1HWO"), 127);
}

}  // namespace
}  // namespace lockstep
