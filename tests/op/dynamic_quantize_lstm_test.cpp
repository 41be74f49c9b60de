#include <gtest/gtest.h>

#include <cmath>

#include "support/problem.h"

namespace lockstep {
namespace {

using Codes = std::vector<std::int8_t>;

double sigmoid(double v) {
  return 1 / (1 + std::exp(-v));
}

test::OpProblem one_unit(std::vector<float> w_scale) {
  test::OpProblem p("DynamicQuantizeLSTM");
  p.input<float>({1, 1, 1}, {1.275f})
      .constant<std::int8_t>({1, 1, 4}, Codes{1, 2, 3, 4})
      .constant<std::int8_t>({1, 1, 4}, Codes{0, 0, 0, 0});
  p.absent().absent().absent().absent().absent();
  p.constant<float>({1}, std::move(w_scale))
      .constant<std::int8_t>({1}, Codes{0})
      .constant<float>({1}, {1})
      .constant<std::int8_t>({1}, Codes{0});
  return p.attr("hidden_size", std::int64_t{1});
}

// x = 1.275 is the code 255 of scale 0.005, weights i 0.5, o 1, f 1.5, c 2.
TEST(DynamicQuantizeLstm, of_one_step_by_hand) {
  const auto y = one_unit({0.5f}).run();
  const double x = 255 * (1.275f / 255), cell = sigmoid(0.5 * x) * std::tanh(2 * x);
  EXPECT_NEAR(y[0].as<float>()[0], sigmoid(x) * std::tanh(cell), 1e-6);
}

TEST(DynamicQuantizeLstm, refuses_scales_of_another_length) {
  test::OpProblem p("DynamicQuantizeLSTM");
  p.input<float>({1, 1, 1}, {1})
      .constant<std::int8_t>({1, 1, 4}, Codes{1, 2, 3, 4})
      .constant<std::int8_t>({1, 1, 4}, Codes{0, 0, 0, 0});
  p.absent().absent().absent().absent().absent();
  p.constant<float>({1, 3}, {1, 1, 1})
      .constant<std::int8_t>({1}, Codes{0})
      .constant<float>({1}, {1})
      .constant<std::int8_t>({1}, Codes{0});
  EXPECT_FALSE(p.attr("hidden_size", std::int64_t{1}).try_run().ok());
}

}  // namespace
}  // namespace lockstep
