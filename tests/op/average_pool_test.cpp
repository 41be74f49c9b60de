#include <gtest/gtest.h>

#include "op/op.h"
#include "support/problem.h"

namespace lockstep {
namespace {

using test::OpProblem;
using test::tensor;

TEST(AveragePool, divides_by_the_elements_inside) {
  OpProblem p("AveragePool");
  p.input<float>({1, 1, 1, 3}, {3, 6, 9})
      .attr("kernel_shape", std::vector<std::int64_t>{1, 2})
      .attr("pads", std::vector<std::int64_t>{0, 1, 0, 0});
  EXPECT_EQ(p.run()[0], (tensor<float>({1, 1, 1, 3}, {3, 4.5f, 7.5f})));
  EXPECT_EQ(p.attr("count_include_pad", std::int64_t{1}).run()[0],
            (tensor<float>({1, 1, 1, 3}, {1.5f, 4.5f, 7.5f})));
}

// Windows of 4 and 6 over 3 at a stride of 2: the only window hangs over; none is left; a window of
// 7 is an error.
TEST(AveragePool, a_window_beyond_the_input_by_less_than_two_strides_makes_one_element_or_none) {
  const auto with = [](std::int64_t kernel) {
    OpProblem p("AveragePool");
    p.input<float>({1, 1, 3}, {3, 6, 9})
        .attr("kernel_shape", std::vector<std::int64_t>{kernel})
        .attr("strides", std::vector<std::int64_t>{2});
    return p;
  };
  EXPECT_EQ(with(4).run()[0], (tensor<float>({1, 1, 1}, {6})));
  EXPECT_EQ(with(6).run()[0], (tensor<float>({1, 1, 0}, {})));
  EXPECT_FALSE(with(7).try_run().ok());
}

// sums 5 and -5 of two codes: 2.5 and -2.5 go away from zero
TEST(AveragePool, rounds_codes_away_from_zero) {
  const auto y = OpProblem("AveragePool", "tflite-ref")
                     .input<std::int8_t>({1, 1, 2, 2}, {2, -2, 3, -3}, {{0.5}, {0}, -1})
                     .attr("layout", "NHWC")
                     .attr("kernel_shape", std::vector<std::int64_t>{1, 2})
                     .output({{0.5}, {0}, -1})
                     .run();
  EXPECT_EQ(y[0], (tensor<std::int8_t>({1, 1, 1, 2}, {3, -3})));
}

// The runtime adds four elements in turn where the window is the whole input (1e8 - 1e8, 1 + 1),
// columns first where it is not (the second window hangs over the end), elements one by one in
// lines.
TEST(AveragePool, of_the_whole_input_or_hanging_over_its_end_sums_as_onnxruntime_does) {
  const auto mean = [](Shape x, std::vector<float> elements, std::vector<std::int64_t> kernel,
                       std::int64_t stride) {
    return OpProblem("AveragePool", "ort-noopt")
        .input<float>(std::move(x), std::move(elements))
        .attr("strides", std::vector<std::int64_t>(kernel.size(), stride))
        .attr("kernel_shape", std::move(kernel))
        .attr("ceil_mode", std::int64_t{1})
        .run()[0];
  };
  EXPECT_EQ(mean({1, 1, 4}, {1e8f, 1, -1e8f, 1}, {4}, 1), (tensor<float>({1, 1, 1}, {0.5f})));
  EXPECT_EQ(mean({1, 1, 3, 2}, {1e8f, 1, -1e8f, 1, 1, 4}, {2, 2}, 2),
            (tensor<float>({1, 1, 2, 1}, {0.5f, 2.5f})));
  EXPECT_EQ(mean({1, 1, 5}, {1e8f, 1, -1e8f, 1, 0}, {4}, 1),
            (tensor<float>({1, 1, 2}, {0.25f, -2.5e7f})));
}

// What y_zero is added to before rounding depends on how the runtime holds y: 107 + 0.499994 is
// below 107.5 in float32, 235 + 0.499994 is 235.5.
TEST(AveragePool, of_signed_codes_that_the_runtime_holds_as_unsigned_rounds_beside_their_zero) {
  for (const bool held : {true, false}) {
    OpProblem p("AveragePool", "ort");
    p.input<std::int8_t>({1, 1, 1}, {1}, {{static_cast<double>(0.499994f)}, {0}, -1})
        .attr("kernel_shape", std::vector<std::int64_t>{1})
        .output({{1.0}, {107}, -1});
    if (held) p.attr("codes", std::string("unsigned"));
    EXPECT_EQ(p.run()[0].code(0), held ? 108 : 107);
  }
}

}  // namespace
}  // namespace lockstep
