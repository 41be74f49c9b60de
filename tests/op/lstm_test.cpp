#include <gtest/gtest.h>

#include <cmath>

#include "support/problem.h"

namespace lockstep {
namespace {

using test::OpProblem;

double sigmoid(double v) { return 1 / (1 + std::exp(-v)); }

// One unit, weights i 1, o 2, f 3, c 0.5, no recurrence: two steps by hand.
TEST(Lstm, carries_the_cell_from_step_to_step) {
  const auto y = OpProblem("LSTM").input<float>({2, 1, 1}, {1, -1}).constant<float>({1, 4, 1}, {1, 2, 3, 0.5})
                     .constant<float>({1, 4, 1}, {0, 0, 0, 0}).attr("hidden_size", std::int64_t{1}).output({}).output({}).run();
  const double c1 = sigmoid(1) * std::tanh(0.5), c2 = sigmoid(-3) * c1 + sigmoid(-1) * std::tanh(-0.5);
  EXPECT_NEAR(y[0].as<float>()[0], sigmoid(2) * std::tanh(c1), 1e-6);
  EXPECT_NEAR(y[0].as<float>()[1], sigmoid(-2) * std::tanh(c2), 1e-6);
}

TEST(Lstm, refuses_weights_of_another_hidden_size) {
  EXPECT_FALSE(OpProblem("LSTM").input<float>({1, 1, 1}, {1}).constant<float>({1, 4, 1}, {1, 2, 3, 4})
                   .constant<float>({1, 4, 1}, {0, 0, 0, 0}).attr("hidden_size", std::int64_t{2}).try_run().ok());
}

}  // namespace
}  // namespace lockstep
