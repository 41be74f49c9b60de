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

// One cell of scale 2^-11, x of step 1/16 and weight of step 1/64: only the cell's gate sees x. At
// zero the other gates are 1/2 (16384); x = 64 codes times w = 32 is 2 in reals, tanh(2) = 31589 of
// 2^15.
TEST(SequenceLstm, on_codes_keeps_sixteen_bit_cells) {
  const auto codes = [](double scale) { return QuantParams{{scale}, {0}, -1}; };
  OpProblem p("SequenceLstm", "tflite-ref");
  p.input<std::int8_t>({1, 2, 1}, {64, 0}, codes(1.0 / 16));
  for (const int g : {0, 0, 32, 0})
    p.constant<std::int8_t>({1, 1}, {static_cast<std::int8_t>(g)}, codes(1.0 / 64));
  for (int g = 0; g < 4; ++g) p.constant<std::int8_t>({1, 1}, {0}, codes(1.0 / 64));
  p.absent().absent().absent();
  for (int g = 0; g < 4; ++g) p.constant<std::int32_t>({1}, {0});
  p.absent().absent();
  p.input<std::int8_t>({1, 1}, {0}, codes(1.0 / 128))
      .input<std::int16_t>({1, 1}, {0}, codes(1.0 / 2048));
  p.attr("hidden_scale", 1.0 / 128).attr("hidden_zero", std::int64_t{0});
  p.output(codes(1.0 / 128)).output(codes(1.0 / 128)).output(codes(1.0 / 2048));
  const auto y = p.run();
  // c = 16384 * 31589 / 2^19 = 987 (0.482), then half of it and no more; h = tanh(c) / 2 in steps
  // of 1/128
  EXPECT_EQ(y[0].code(0), 29);
  EXPECT_NEAR(static_cast<double>(y[2].code(0)), 987.0 / 2, 1);
  EXPECT_EQ(y[0].code(1), 15);
}

}  // namespace
}  // namespace lockstep
