#include <gtest/gtest.h>

#include "op/op_conv_transpose.h"
#include "support/problem.h"

namespace lockstep {
namespace {

using Ints = std::vector<std::int64_t>;

TEST(ConvTranspose, spreads_each_element_over_its_window) {  // 1*[1,2] at 0, 3*[1,2] at 2
  const auto y = test::OpProblem("ConvTranspose")
                     .input<float>({1, 1, 2}, {1, 3})
                     .constant<float>({1, 1, 2}, {1, 2})
                     .attr("strides", Ints{2})
                     .attr("shape", Ints{4})
                     .run();
  EXPECT_EQ(y[0], (Tensor::of<float>({1, 1, 4}, std::vector<float>{1, 2, 3, 6})));
}

TEST(ConvTranspose, adds_where_windows_meet_and_cuts_pads) {  // full: 1, 2+3, 6
  const auto y = test::OpProblem("ConvTranspose")
                     .input<float>({1, 1, 2}, {1, 3})
                     .constant<float>({1, 1, 2}, {1, 2})
                     .constant<float>({1}, {0.5f})
                     .attr("pads", Ints{1, 0})
                     .attr("shape", Ints{2})
                     .run();
  EXPECT_EQ(y[0], (Tensor::of<float>({1, 1, 2}, std::vector<float>{5.5f, 6.5f})));
}

TEST(ConvTranspose, refuses_weights_of_other_channels) {
  EXPECT_FALSE(test::OpProblem("ConvTranspose")
                   .input<float>({1, 1, 1}, {1})
                   .constant<float>({2, 1, 1}, {1, 2})
                   .attr("shape", Ints{1})
                   .try_run()
                   .ok());
}

// XNNPACK leaves some to LiteRT, which rounds twice, by vectors of 16 codes: -96/64 is -1 there, -2
// in the element left over.
TEST(ConvTranspose, of_unsigned_codes_left_by_xnnpack_is_rounded_by_runs_of_sixteen_elements) {
  const auto answer = [&](const char* arithmetic, bool left) {
    test::OpProblem problem("ConvTranspose", arithmetic);
    problem.input<std::uint8_t>({1, 1, 17}, std::vector<std::uint8_t>(17, 32), {{1.0}, {128}, -1})
        .constant<std::uint8_t>({1, 1, 1}, {129}, {{1.0}, {128}, -1})
        .attr("shape", Ints{17})
        .output({{64.0}, {128}, -1});
    if (left) problem.attr("kernel", std::string("left"));
    return problem.run()[0];
  };
  const auto y = answer("tflite", true);
  for (int i = 0; i < 17; ++i) EXPECT_EQ(y.code(i), i < 16 ? 127 : 126);
  EXPECT_EQ(answer("tflite", false).code(0), 126);
  EXPECT_EQ(answer("tflite-ref", false).code(0), 126);
}

// -96/64 in nine channels: LiteRT's vectors of eight round it to -1, the ninth channel to -2.
TEST(ConvTranspose, of_signed_codes_left_by_xnnpack_is_rounded_by_runs_of_eight_channels) {
  const auto y =
      test::OpProblem("ConvTranspose", "tflite")
          .input<std::int8_t>({1, 1, 1}, {-96}, {{1.0}, {0}, -1})
          .constant<std::int8_t>({1, 9, 1}, std::vector<std::int8_t>(9, 1), {{1.0}, {0}, -1})
          .attr("shape", Ints{1})
          .attr("kernel", std::string("left"))
          .output({{64.0}, {0}, -1})
          .run()[0];
  for (int o = 0; o < 9; ++o) EXPECT_EQ(y.code(o), o < 8 ? -1 : -2);
}

// -3/4 in nine channels: LiteRT's vectors of eight round -1/2 up, the ninth channel away from zero.
TEST(ConvTranspose, of_16_bit_codes_under_a_32_bit_bias_is_rounded_by_runs_of_eight_channels) {
  const auto problem = [](const char* arithmetic) {
    return test::OpProblem("ConvTranspose", arithmetic)
        .input<std::int16_t>({1, 1, 1}, {-3}, {{0.5}, {0}, -1})
        .constant<std::int8_t>({1, 9, 1}, std::vector<std::int8_t>(9, 1), {{0.5}, {0}, -1})
        .constant<std::int32_t>({9}, std::vector<std::int32_t>(9))
        .attr("shape", Ints{1})
        .output({{1.0}, {0}, -1});
  };
  const auto tflite = problem("tflite").run()[0], reference = problem("tflite-ref").run()[0];
  for (int o = 0; o < 9; ++o) {
    EXPECT_EQ(tflite.code(o), o < 8 ? 0 : -1);
    EXPECT_EQ(reference.code(o), -1);
  }
}

// Converters compute the output shape from an open batch; XNNPACK takes only a shape that stands in
// the file.
TEST(ConvTranspose, whose_output_shape_is_computed_is_left_to_litert) {
  for (const bool computed : {false, true}) {
    GraphBuilder b("m.tflite", "tflite");
    const auto add = [&](const char* name, Shape shape, DType dtype) {
      Value v;
      v.name = name;
      v.dtype = dtype;
      v.shape = std::move(shape);
      return b.add_value(std::move(v));
    };
    ForeignNode f;
    f.op = "TRANSPOSE_CONV";
    f.name = f.where = "layer";
    f.inputs = {add("shape", {4}, DType::i32), add("w", {3, 2, 2, 1}, DType::i8),
                add("x", {1, 4, 4, 1}, DType::i8)};
    f.outputs = {add("y", {1, 8, 8, 3}, DType::i8)};
    b.value(f.inputs[0]).constant = std::make_shared<Tensor>(
        Tensor::of<std::int32_t>({4}, std::vector<std::int32_t>{1, 8, 8, 3}));
    b.value(f.inputs[0]).folded = computed;
    f.attrs.set("stride_h", std::int64_t{2});
    f.attrs.set("stride_w", std::int64_t{2});
    const auto made = conv_transpose_from_tflite(f, b);
    ASSERT_TRUE(made.ok()) << made.error().line();
    EXPECT_EQ(b.so_far().nodes()[0].attrs.integer("undelegated", 0), computed ? 1 : 0);
  }
}

}  // namespace
}  // namespace lockstep
