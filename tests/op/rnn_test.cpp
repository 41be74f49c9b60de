#include <gtest/gtest.h>

#include <cmath>

#include "support/problem.h"

namespace lockstep {
namespace {

// One unit, weight 2, recurrent weight 0.5, biases 0.1 and 0.2, two steps, forward and backward.
TEST(Rnn, carries_its_state_from_step_to_step) {
  for (const char* const direction : {"forward", "reverse"}) {
    const auto y = test::OpProblem("RNN")
                       .input<float>({2, 1, 1}, {0.25f, -0.5f})
                       .constant<float>({1, 1, 1}, {2})
                       .constant<float>({1, 1, 1}, {0.5})
                       .constant<float>({1, 2}, {0.1f, 0.2f})
                       .attr("hidden_size", std::int64_t{1})
                       .attr("direction", std::string(direction))
                       .run();
    const bool back = direction[0] == 'r';
    const double first = std::tanh(2 * (back ? -0.5 : 0.25) + 0.3),
                 second = std::tanh(2 * (back ? 0.25 : -0.5) + 0.3 + 0.5 * first);
    EXPECT_NEAR(y[0].as<float>()[back ? 1 : 0], first, 1e-6);
    EXPECT_NEAR(y[0].as<float>()[back ? 0 : 1], second, 1e-6);
  }
}

// onnxruntime 1.30 (N103).
TEST(Rnn, sums_and_gates_as_the_runtime_to_the_bit) {
  const std::vector<float> x{-0.625f, -0.1875f, 1.6875f, 0.6875f, -1.625f, 0},
      w{0.375f, 0.8125f, -0.5625f, 0.5f, -1.4375f, 1.375f}, r{0.0625f, 0.1875f, 0.625f, 0},
      b{-0.25f, 1.1875f, 0.125f, -0.9375f};
  const auto y = test::OpProblem("RNN", "ort-noopt")
                     .input<float>({2, 1, 3}, x)
                     .constant<float>({1, 2, 3}, w)
                     .constant<float>({1, 2, 2}, r)
                     .constant<float>({1, 4}, b)
                     .attr("hidden_size", std::int64_t{2})
                     .run();
  EXPECT_EQ(y[0],
            Tensor::of<float>({2, 1, 1, 2}, std::vector<float>{-0x1.cbb0f8p-1f, 0x1.f98248p-1f,
                                                               -0x1.91f6c8p-1f, 0x1.f71a7cp-1f}));
}

}  // namespace
}  // namespace lockstep
