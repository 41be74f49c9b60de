#include <gtest/gtest.h>

#include <cmath>

#include "op/op.h"
#include "support/problem.h"

namespace lockstep {
namespace {

TEST(Relu, keeps_positive_reals_and_zeroes_negative_ones) {
  const auto y = test::OpProblem("Relu").input<float>({3}, {-1.5f, 0.f, 2.f}).run();
  EXPECT_EQ(y[0], (Tensor::of<float>({3}, std::vector<float>{0.f, 0.f, 2.f})));
}

TEST(Relu, clamps_codes_at_the_zero_point) {
  const auto y = test::OpProblem("Relu")
                     .input<std::int8_t>({3}, {-128, 5, 100}, {{0.5}, {5}, -1})
                     .output({{0.5}, {5}, -1})
                     .run();
  EXPECT_EQ(y[0], (Tensor::of<std::int8_t>({3}, std::vector<std::int8_t>{5, 5, 100})));
}

TEST(Relu, keeps_the_sign_of_zeros_as_onnxruntime_does) {
  const auto y = test::OpProblem("Relu").input<float>({2}, {0.f, -0.f}).run();
  EXPECT_EQ(
      (std::vector<bool>{std::signbit(y[0].as<float>()[0]), std::signbit(y[0].as<float>()[1])}),
      (std::vector<bool>{false, true}));
}

}  // namespace
}  // namespace lockstep
