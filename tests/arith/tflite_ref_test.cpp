#include <gtest/gtest.h>

#include "arith/arith.h"

namespace lockstep {
namespace {

TEST(TfliteRef, names_the_runtime_and_has_every_policy_of_its_kernels) {
  const Arithmetic* a = find_arithmetic("tflite-ref");
  ASSERT_NE(a, nullptr);
  EXPECT_EQ(a->version, "2.3.0");
  EXPECT_NE(a->numerics->conv, nullptr);
  EXPECT_NE(a->numerics->dense, nullptr);
  EXPECT_NE(a->numerics->add, nullptr);
  EXPECT_NE(a->numerics->softmax, nullptr);
}

// 29 / 4 = 7.25: a convolution rounds twice (8), a fully connected layer once (7).
TEST(TfliteRef, convolutions_round_twice_and_fully_connected_layers_once) {
  const Numerics& n = *find_arithmetic("tflite-ref")->numerics;
  EXPECT_EQ(n.conv->apply(29, n.conv->prepare(0.5, 0.5, 1.0)), 8);
  EXPECT_EQ(n.dense->apply(29, n.dense->prepare(0.5, 0.5, 1.0)), 7);
}

// e^x beyond float32 is the greatest code, not the least.
TEST(TfliteRef, an_exponential_beyond_all_numbers_is_the_greatest_code) {
  TableScales t{};
  t.x_scale = 1, t.y_scale = 0.05, t.low = t.x_low = -128, t.high = 127;
  std::vector<std::int32_t> table(256);
  find_arithmetic("tflite-ref")->numerics->exp->fill(t, table);
  EXPECT_EQ(table[255], 127);
  EXPECT_EQ(table[0], 0);
}

}  // namespace
}  // namespace lockstep
