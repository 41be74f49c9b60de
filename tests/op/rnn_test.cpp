#include <gtest/gtest.h>

#include <cmath>

#include "support/problem.h"

namespace lockstep {
namespace {

// One unit, weight 2, recurrent weight 0.5, biases 0.1 and 0.2, two steps, forward and backward.
TEST(Rnn, carries_its_state_from_step_to_step) {
  for (const char* const direction : {"forward", "reverse"}) {
    const auto y = test::OpProblem("RNN").input<float>({2, 1, 1}, {0.25f, -0.5f}).constant<float>({1, 1, 1}, {2})
                       .constant<float>({1, 1, 1}, {0.5}).constant<float>({1, 2}, {0.1f, 0.2f})
                       .attr("hidden_size", std::int64_t{1}).attr("direction", std::string(direction)).run();
    const bool back = direction[0] == 'r';
    const double first = std::tanh(2 * (back ? -0.5 : 0.25) + 0.3), second = std::tanh(2 * (back ? 0.25 : -0.5) + 0.3 + 0.5 * first);
    EXPECT_NEAR(y[0].as<float>()[back ? 1 : 0], first, 1e-6);
    EXPECT_NEAR(y[0].as<float>()[back ? 0 : 1], second, 1e-6);
  }
}

}  // namespace
}  // namespace lockstep
