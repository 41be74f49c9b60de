#include <gtest/gtest.h>

#include <cmath>

#include "support/problem.h"

namespace lockstep {
namespace {

using test::OpProblem;

double sigmoid(double v) {
  return 1 / (1 + std::exp(-v));
}

// One unit, weights i 1, o 2, f 3, c 0.5, no recurrence: two steps by hand.
TEST(Lstm, carries_the_cell_from_step_to_step) {
  const auto y = OpProblem("LSTM")
                     .input<float>({2, 1, 1}, {1, -1})
                     .constant<float>({1, 4, 1}, {1, 2, 3, 0.5})
                     .constant<float>({1, 4, 1}, {0, 0, 0, 0})
                     .attr("hidden_size", std::int64_t{1})
                     .output({})
                     .output({})
                     .run();
  const double c1 = sigmoid(1) * std::tanh(0.5),
               c2 = sigmoid(-3) * c1 + sigmoid(-1) * std::tanh(-0.5);
  EXPECT_NEAR(y[0].as<float>()[0], sigmoid(2) * std::tanh(c1), 1e-6);
  EXPECT_NEAR(y[0].as<float>()[1], sigmoid(-2) * std::tanh(c2), 1e-6);
}

TEST(Lstm, refuses_weights_of_another_hidden_size) {
  EXPECT_FALSE(OpProblem("LSTM")
                   .input<float>({1, 1, 1}, {1})
                   .constant<float>({1, 4, 1}, {1, 2, 3, 4})
                   .constant<float>({1, 4, 1}, {0, 0, 0, 0})
                   .attr("hidden_size", std::int64_t{2})
                   .try_run()
                   .ok());
}

// onnxruntime 1.30 (N103).
TEST(Lstm, sums_and_gates_as_the_runtime_to_the_bit) {
  const std::vector<float> x{-0.625f, -0.1875f, 1.6875f, 0.6875f, -1.625f, 0},
      w{-0.625f, 0.125f,  -1.625f,  0.25f,    0.25f,    1.5625f, 0.3125f,  0.5f,
        -1.5f,   2.25f,   -1.9375f, 1.125f,   -0.3125f, -0.875f, -0.6875f, -0.6875f,
        0.375f,  -0.125f, 1.5f,     -1.8125f, 0,        -0.875f, 0.75f,    -2.125f},
      r{-0.3125f, 0.1875f,  -1.5f, 1,      0.1875f,  1,       0.9375f,  -1,
        -0.8125f, -0.1875f, 0.75f, 0.875f, -0.6875f, -0.625f, -0.8125f, -0.5625f},
      b{-0.25f, -0.125f, 2.0625f,  -0.5f,  -0.3125f, 0.4375f, -0.9375f, -0.375f,
        0,      0.75f,   -1.3125f, 1.375f, -0.375f,  0.1875f, 0.875f,   0.6875f};
  const auto y = test::OpProblem("LSTM", "ort-noopt")
                     .input<float>({2, 1, 3}, x)
                     .constant<float>({1, 8, 3}, w)
                     .constant<float>({1, 8, 2}, r)
                     .constant<float>({1, 16}, b)
                     .attr("hidden_size", std::int64_t{2})
                     .run();
  EXPECT_EQ(y[0],
            Tensor::of<float>({2, 1, 1, 2}, std::vector<float>{-0x1.1eb228p-8f, -0x1.418e54p-1f,
                                                               0x1.768f82p-4f, -0x1.17f8b6p-1f}));
}

}  // namespace
}  // namespace lockstep
