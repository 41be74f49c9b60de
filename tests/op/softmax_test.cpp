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

}  // namespace
}  // namespace lockstep
