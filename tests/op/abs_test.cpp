#include <gtest/gtest.h>

#include <cmath>

#include "support/problem.h"

namespace lockstep {
namespace {

TEST(Abs, drops_the_sign) {
  const auto y = test::OpProblem("Abs").input<float>({3}, {-1.5f, 0.f, 2.f}).run();
  EXPECT_EQ(y[0], Tensor::of<float>({3}, std::vector<float>{1.5f, 0.f, 2.f}));
}

TEST(Abs, of_integers_is_exact) {
  const auto y = test::OpProblem("Abs").input<std::int32_t>({2}, {-7, 7}).run();
  EXPECT_EQ(y[0], Tensor::of<std::int32_t>({2}, std::vector<std::int32_t>{7, 7}));
}

TEST(Abs, of_zeros_is_positive_as_onnxruntime_does) {
  const auto y = test::OpProblem("Abs").input<float>({2}, {0.f, -0.f}).run();
  EXPECT_EQ(
      (std::vector<bool>{std::signbit(y[0].as<float>()[0]), std::signbit(y[0].as<float>()[1])}),
      (std::vector<bool>{false, false}));
}

}  // namespace
}  // namespace lockstep
