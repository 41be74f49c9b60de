#include "num/ort_codes.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace lockstep {
namespace {

TEST(OrtCodes, quantizing_divides_rounds_ties_to_even_and_saturates) {
  const auto q = [](float v) { return ort_quantize.quantize(v, 0.5f, 3, -128, 127); };
  EXPECT_EQ(q(0.25f), 3);   // 0.5 -> 0
  EXPECT_EQ(q(0.75f), 5);   // 1.5 -> 2
  EXPECT_EQ(q(-0.75f), 1);  // -1.5 -> -2
  EXPECT_EQ(q(1e30f), 127);
  EXPECT_EQ(q(-std::numeric_limits<float>::infinity()), -128);
  EXPECT_EQ(q(std::nanf("")), -128);
}

TEST(OrtCodes, requantizing_rounds_ties_to_even) {
  const Rescale r = ort_requant.prepare(0.5, 0.5, 0.5);
  EXPECT_EQ(ort_requant.apply(1, r), 0);
  EXPECT_EQ(ort_requant.apply(3, r), 2);
  EXPECT_EQ(ort_requant.apply(-5, r), -2);
}

TEST(OrtCodes, adding_uses_the_stored_codes) {
  const BinaryScales s{.a_scale = 0.5,
                       .b_scale = 0.25,
                       .y_scale = 0.5,
                       .a_zero = 10,
                       .b_zero = -4,
                       .y_zero = 1,
                       .low = -128,
                       .high = 127};
  const BinaryState state = ort_add.prepare(s);
  EXPECT_EQ(ort_add.apply(14, 0, state), 1 + 4 + 2);  // 2.0 + 1.0 = 3.0 = 6 steps
  EXPECT_EQ(ort_add.apply(14, -3, state), 6);         // 4.5 steps and the zero point: 5.5, to even
}

TEST(OrtCodes, multiplying_adds_the_zero_point_before_rounding) {
  const BinaryScales s{.a_scale = 0.5,
                       .b_scale = 0.5,
                       .y_scale = 0.5,
                       .a_zero = 0,
                       .b_zero = 0,
                       .y_zero = 1,
                       .low = -128,
                       .high = 127};
  const BinaryState state = ort_mul.prepare(s);
  EXPECT_EQ(ort_mul.apply(3, 1, state), 2);  // 1.5 + 1 = 2.5 -> 2; rounding first would give 3
}

TEST(OrtCodes, a_dynamic_range_always_holds_zero) {
  const DynamicRange r = dynamic_range(-1.0f, 254.0f);
  EXPECT_EQ(r.scale, 1.0f);
  EXPECT_EQ(r.zero, 1);
  EXPECT_EQ(dynamic_range(0, 0).scale, 1.0f);
}

}  // namespace
}  // namespace lockstep
