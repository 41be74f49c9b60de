#include <gtest/gtest.h>

#include <cmath>

#include "support/problem.h"

namespace lockstep {
namespace {

double sigmoid(double v) { return 1 / (1 + std::exp(-v)); }

// One unit, state 0.5 given, weights z 1, r 2, n 0.5, recurrent n 1: one step in both forms.
TEST(Gru, resets_the_state_or_its_product) {
  for (const std::int64_t linear : {0, 1}) {
    const auto y = test::OpProblem("GRU").input<float>({1, 1, 1}, {1}).constant<float>({1, 3, 1}, {1, 2, 0.5})
                       .constant<float>({1, 3, 1}, {0, 0, 1}).constant<float>({1, 6}, {0, 0, 0, 0, 0, 0.25}).absent()
                       .constant<float>({1, 1, 1}, {0.5}).attr("hidden_size", std::int64_t{1}).attr("linear_before_reset", linear).run();
    const double z = sigmoid(1), r = sigmoid(2), inner = linear ? r * (0.5 + 0.25) : r * 0.5 + 0.25;
    EXPECT_NEAR(y[0].as<float>()[0], (1 - z) * std::tanh(0.5 + inner) + z * 0.5, 1e-6);
  }
}

}  // namespace
}  // namespace lockstep
