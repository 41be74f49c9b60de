#include "num/litert_quantize.h"

#include <gtest/gtest.h>

#include "num/ort_codes.h"
#include "num/xnnpack.h"

namespace lockstep {
namespace {

TEST(LitertQuantize, vectors_of_eight_leave_the_end_of_a_tensor_of_16_bit_codes) {
  EXPECT_EQ(left_by_vectors(xnnpack_quantize, true, 210), 2);
  EXPECT_EQ(left_by_vectors(xnnpack_quantize, true, 64), 0);
  EXPECT_EQ(left_by_vectors(xnnpack_quantize, false, 210), 0);
  EXPECT_EQ(left_by_vectors(ort_quantize, true, 210), 0);
}

// 2.5 steps: even in vectors, away from zero behind them.
TEST(LitertQuantize, what_is_left_is_rounded_away_from_zero) {
  EXPECT_EQ(xnnpack_quantize.quantize(1.25f, 0.5f, 0, -32768, 32767), 2);
  EXPECT_EQ(quantize_left(1.25f, 0.5f, 0, -32768, 32767), 3);
  EXPECT_EQ(quantize_left(-1.25f, 0.5f, 0, -32768, 32767), -3);
  EXPECT_EQ(quantize_left(1e30f, 0.5f, 0, -32768, 32767), 32767);
}

}  // namespace
}  // namespace lockstep
