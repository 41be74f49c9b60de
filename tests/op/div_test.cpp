#include <gtest/gtest.h>

#include "op/op.h"
#include "support/problem.h"

namespace lockstep {
namespace {

using test::OpProblem;

template <class T>
Tensor tensor(Shape shape, std::vector<T> v) { return Tensor::of<T>(std::move(shape), std::span<const T>(v)); }

TEST(Div, divides_reals_and_truncates_integers) {
  EXPECT_EQ(OpProblem("Div").input<float>({1}, {1}).input<float>({1}, {4}).run()[0], (tensor<float>({1}, {0.25f})));
  EXPECT_EQ(OpProblem("Div").input<std::int32_t>({3}, {-7, 7, 1}).input<std::int32_t>({3}, {2, -2, 0}).run()[0],
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

}  // namespace
}  // namespace lockstep
