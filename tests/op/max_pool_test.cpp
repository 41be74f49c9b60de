#include <gtest/gtest.h>

#include "op/op.h"
#include "op/op_pool.h"
#include "support/problem.h"

namespace lockstep {
namespace {

using test::OpProblem;
using test::tensor;

TEST(MaxPool, takes_the_greatest_inside_the_window) {
  const auto y = OpProblem("MaxPool")
                     .input<float>({1, 1, 3, 3}, {1, 2, 3, 4, 5, 6, 7, 8, 9})
                     .attr("kernel_shape", std::vector<std::int64_t>{2, 2})
                     .attr("pads", std::vector<std::int64_t>{1, 1, 0, 0})
                     .attr("strides", std::vector<std::int64_t>{2, 2})
                     .run();
  EXPECT_EQ(y[0], (tensor<float>({1, 1, 2, 2}, {1, 3, 7, 9})));
}

TEST(MaxPool, keeps_codes_and_their_quantization) {
  const auto y = OpProblem("MaxPool", "tflite-ref")
                     .input<std::int8_t>({1, 1, 2, 2}, {-100, 3, -7, 4}, {{0.5}, {3}, -1})
                     .attr("layout", "NHWC")
                     .attr("kernel_shape", std::vector<std::int64_t>{1, 2})
                     .output({{0.5}, {3}, -1})
                     .run();
  EXPECT_EQ(y[0], (tensor<std::int8_t>({1, 1, 1, 2}, {-7, 4})));
}

TEST(MaxPool, with_ceil_mode_takes_the_one_window_that_hangs_over_all_of_x) {
  const auto y = test::OpProblem("MaxPool")
                     .input<float>({1, 1, 1, 1}, {7})
                     .attr("kernel_shape", std::vector<std::int64_t>{2, 2})
                     .attr("strides", std::vector<std::int64_t>{2, 2})
                     .attr("ceil_mode", std::int64_t{1})
                     .run();
  EXPECT_EQ(y[0], Tensor::of<float>({1, 1, 1, 1}, std::vector<float>{7}));
}

// It gave x's six elements; the runtime pads as if the taps were neighbours. What the stride leaves
// between windows is cut: of an odd number of elements one more at the end, or at the start.
TEST(MaxPool, dilated_under_auto_pad_same_pads_without_the_dilation) {
  using List = std::vector<std::int64_t>;
  const auto pooled = [](std::int64_t kernel, std::int64_t stride, std::int64_t dilation,
                         const char* rule) {
    return test::OpProblem("MaxPool")
        .input<float>({1, 1, 6}, {1, 2, 3, 4, 5, 6})
        .attr("kernel_shape", List{kernel})
        .attr("strides", List{stride})
        .attr("dilations", List{dilation})
        .attr("auto_pad", std::string(rule))
        .try_run();
  };
  EXPECT_EQ(pooled(3, 1, 2, "SAME_UPPER")->at(0), (tensor<float>({1, 1, 4}, {4, 5, 6, 5})));
  EXPECT_EQ(pooled(3, 1, 2, "SAME_LOWER")->at(0), (tensor<float>({1, 1, 4}, {4, 5, 6, 5})));
  EXPECT_EQ(pooled(1, 2, 1, "SAME_UPPER")->at(0), (tensor<float>({1, 1, 3}, {1, 3, 5})));
  EXPECT_EQ(pooled(1, 3, 1, "SAME_UPPER")->at(0), (tensor<float>({1, 1, 2}, {2, 5})));
  EXPECT_EQ(pooled(1, 3, 1, "SAME_LOWER")->at(0), (tensor<float>({1, 1, 2}, {1, 4})));
  EXPECT_EQ(pooled(2, 6, 1, "SAME_UPPER")->at(0), (tensor<float>({1, 1, 1}, {4})));
  EXPECT_EQ(pooled(1, 6, 1, "SAME_LOWER")->at(0), (tensor<float>({1, 1, 1}, {3})));
}

TEST(MaxPool, of_a_file_whose_pads_are_not_below_its_extents_is_refused) {
  ForeignNode f;
  f.op = "MaxPool";
  f.attrs.set("kernel_shape", std::vector<std::int64_t>{3, 2});
  f.attrs.set("pads", std::vector<std::int64_t>{2, 1, 2, 1});
  EXPECT_TRUE(pads_within_window(f).ok());
  f.attrs.set("pads", std::vector<std::int64_t>{0, 0, 0, 2});
  EXPECT_EQ(pads_within_window(f).error().what, "pads [0,0,0,2] around windows of [3,2]");
}

}  // namespace
}  // namespace lockstep
