#include <gtest/gtest.h>

#include <cmath>

#include "op/op.h"
#include "support/problem.h"

namespace lockstep {
namespace {

using test::OpProblem;
using test::tensor;

// One cell: every gate weight 0 but that of the cell input, biases 0: i = f = o = 1/2, g = tanh(x)
TEST(SequenceLstm, follows_its_equations_step_by_step) {
  OpProblem p("SequenceLstm");
  p.input<float>({1, 2, 1}, {1, 1});
  for (const float w : {0.f, 0.f, 1.f, 0.f, 0.f, 0.f, 0.f, 0.f}) p.constant<float>({1, 1}, {w});
  p.absent().absent().absent();
  for (int i = 0; i < 4; ++i) p.constant<float>({1}, {0});
  p.absent().absent();
  p.input<float>({1, 1}, {0}).input<float>({1, 1}, {0}).output({}).output({}).output({});
  const auto y = p.run();
  const double g = std::tanh(1.0), c1 = g / 2, c2 = c1 / 2 + g / 2;
  EXPECT_NEAR(y[0].number(0), std::tanh(c1) / 2, 1e-6);
  EXPECT_NEAR(y[0].number(1), std::tanh(c2) / 2, 1e-6);
  EXPECT_NEAR(y[2].number(0), c2, 1e-6);
}

}  // namespace
}  // namespace lockstep
