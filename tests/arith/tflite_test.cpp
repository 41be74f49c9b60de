#include <gtest/gtest.h>

#include "arith/arith.h"

namespace lockstep {
namespace {

// 29 / 4 = 7.25, 30 / 4 = 7.5, 26 / 4 = 6.5: in float32, half to even.
TEST(Tflite, layers_round_once_half_to_even) {
  const Numerics& n = *find_arithmetic("tflite")->numerics;
  const Rescale quarter = n.conv->prepare(0.5, 0.5, 1.0);
  EXPECT_EQ(n.conv->apply(29, quarter), 7);
  EXPECT_EQ(n.conv->apply(30, quarter), 8);
  EXPECT_EQ(n.conv->apply(26, quarter), 6);
  EXPECT_EQ(n.dense->apply(26, quarter), 6);
}

// 29 / 4 = 7.25: TFLite's own product of two computed operands rounds once, not twice.
TEST(Tflite, products_of_computed_operands_round_once_half_up) {
  const Numerics& n = *find_arithmetic("tflite")->numerics;
  EXPECT_EQ(n.matmul->apply(29, n.matmul->prepare(0.5, 0.5, 1.0)), 7);
  EXPECT_EQ(n.matmul->apply(26, n.matmul->prepare(0.5, 0.5, 1.0)), 7);
}

}  // namespace
}  // namespace lockstep
