#include <gtest/gtest.h>

#include "op/op.h"
#include "support/problem.h"

namespace lockstep {
namespace {

using test::OpProblem;

template <class T>
Tensor tensor(Shape shape, std::vector<T> v) {
  return Tensor::of<T>(std::move(shape), std::span<const T>(v));
}

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

}  // namespace
}  // namespace lockstep
