#include <gtest/gtest.h>

#include <cmath>

#include <cmath>

#include "support/problem.h"

namespace lockstep {
namespace {

TEST(Neg, turns_the_sign) {
  const auto y = test::OpProblem("Neg").input<float>({2}, {-1.5f, 2.f}).run();
  EXPECT_EQ(y[0], Tensor::of<float>({2}, std::vector<float>{1.5f, -2.f}));
}

TEST(Neg, of_zero_is_minus_zero) {
  const auto y = test::OpProblem("Neg").input<float>({1}, {0.f}).run();
  EXPECT_TRUE(std::signbit(y[0].as<float>()[0]));
}

TEST(Neg, of_the_least_integer_wraps) {
  const auto y = test::OpProblem("Neg").input<std::int8_t>({2}, {-128, 3}).run();
  EXPECT_EQ(y[0], Tensor::of<std::int8_t>({2}, std::vector<std::int8_t>{-128, -3}));
}

TEST(Neg, turns_the_sign_of_zeros_as_onnxruntime_does) {
  const auto y = test::OpProblem("Neg").input<float>({2}, {0.f, -0.f}).run();
  EXPECT_EQ(
      (std::vector<bool>{std::signbit(y[0].as<float>()[0]), std::signbit(y[0].as<float>()[1])}),
      (std::vector<bool>{true, false}));
}

}  // namespace
}  // namespace lockstep
