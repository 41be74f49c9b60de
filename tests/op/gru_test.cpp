#include <gtest/gtest.h>

#include <cmath>

#include "support/problem.h"

namespace lockstep {
namespace {

double sigmoid(double v) {
  return 1 / (1 + std::exp(-v));
}

// One unit, state 0.5 given, weights z 1, r 2, n 0.5, recurrent n 1: one step in both forms.
TEST(Gru, resets_the_state_or_its_product) {
  for (const std::int64_t linear : {0, 1}) {
    const auto y = test::OpProblem("GRU")
                       .input<float>({1, 1, 1}, {1})
                       .constant<float>({1, 3, 1}, {1, 2, 0.5})
                       .constant<float>({1, 3, 1}, {0, 0, 1})
                       .constant<float>({1, 6}, {0, 0, 0, 0, 0, 0.25})
                       .absent()
                       .constant<float>({1, 1, 1}, {0.5})
                       .attr("hidden_size", std::int64_t{1})
                       .attr("linear_before_reset", linear)
                       .run();
    const double z = sigmoid(1), r = sigmoid(2), inner = linear ? r * (0.5 + 0.25) : r * 0.5 + 0.25;
    EXPECT_NEAR(y[0].as<float>()[0], (1 - z) * std::tanh(0.5 + inner) + z * 0.5, 1e-6);
  }
}

// onnxruntime 1.30 (N103).
TEST(Gru, sums_and_gates_as_the_runtime_to_the_bit) {
  const std::vector<float> x{-0.625f, -0.1875f, 1.6875f, 0.6875f, -1.625f, 0},
      w{1.0625f, 0.1875f,  0,      0.3125f,  -1,      1.1875f,  -0.75f, -1.25f,   2.0625f,
        -0.125f, -1.1875f, 1.875f, -0.3125f, 1.0625f, -0.8125f, -0.25f, -1.6875f, -1.9375f},
      r{-1,      -0.0625f, 0.8125f, 2.4375f, -1.0625f, 1,
        -0.625f, -0.125f,  -1.5f,   -1.5f,   -0.75f,   -1.1875f},
      b{0,    -0.6875f, 1.25f,    0.125f,  0.1875f, 1.125f,
        0.5f, -0.0625f, -0.0625f, -0.125f, 1.0625f, 0.8125f};
  const std::vector<float> want[] = {
      {-0x1.17f59ap-4f, -0x1.3e5fcp-3f, -0x1.33bfb2p-3f, 0x1.ea4934p-3f},
      {-0x1.22d9ccp-4f, -0x1.441698p-3f, -0x1.4e8ef4p-3f, 0x1.eb4982p-3f}};
  for (const std::int64_t linear : {0, 1}) {
    const auto y = test::OpProblem("GRU", "ort-noopt")
                       .input<float>({2, 1, 3}, x)
                       .constant<float>({1, 6, 3}, w)
                       .constant<float>({1, 6, 2}, r)
                       .constant<float>({1, 12}, b)
                       .attr("hidden_size", std::int64_t{2})
                       .attr("linear_before_reset", linear)
                       .run();
    EXPECT_EQ(y[0], Tensor::of<float>({2, 1, 1, 2}, want[linear]));
  }
}

}  // namespace
}  // namespace lockstep
