#include "num/litert_sums.h"

#include <gtest/gtest.h>

#include "num/xnnpack.h"

namespace lockstep {
namespace {

using Shape = std::vector<std::int64_t>;

BinaryState far_scales(int bits) {
  return xnnpack_add.prepare({1024.0, 1.0, 1.0, 0, 0, 0, -128, 127, bits});
}
SumRows rows(int bits, bool is_unsigned, const Shape& a, const Shape& b) {
  return sum_rows(far_scales(bits), is_unsigned, a, b);
}

TEST(LitertSums, operands_of_one_shape_are_one_row_whose_end_fills_no_vector) {
  const SumRows of_16 = rows(16, false, {3, 7, 5}, {3, 7, 5});
  EXPECT_EQ(of_16.row, 105);
  EXPECT_EQ(of_16.whole, 96);
  EXPECT_TRUE(of_16.in_vectors(95));
  EXPECT_FALSE(of_16.in_vectors(96));
  EXPECT_EQ(rows(8, true, {3, 7, 5}, {3, 7, 5}).whole, 104);  // vectors of 8
}

TEST(LitertSums, spread_words_and_more_than_five_groups_of_axes_have_no_vectors) {
  EXPECT_EQ(rows(16, false, {4, 64}, {64}).whole, 0);
  EXPECT_EQ(rows(8, false, {2, 1, 3, 1, 20}, {1, 4, 1, 5, 20}).whole, 0);
}

TEST(LitertSums, spread_bytes_go_in_rows_of_the_axes_that_both_have) {
  const SumRows r = rows(8, false, {2, 3, 17, 19}, {1, 1, 1, 19});
  EXPECT_EQ(r.row, 19);
  EXPECT_EQ(r.whole, 16);
  EXPECT_EQ(r.step, GridStep::once);
  EXPECT_FALSE(r.in_vectors(19 + 16));
  EXPECT_TRUE(r.in_vectors(38));
}

TEST(LitertSums, under_an_operand_that_stands_still_rows_span_its_axes) {
  for (const bool turned : {false, true}) {
    const Shape still = {4, 1, 1}, moving = {4, 5, 3};
    const SumRows r = turned ? rows(8, false, moving, still) : rows(8, false, still, moving);
    EXPECT_EQ(r.row, 15);
    EXPECT_EQ(r.whole, 8);
    EXPECT_EQ(r.step, GridStep::floor);
  }
}

// The runtime's answers in vectors of 16; its reference's lie one further from zero or nearer.
TEST(LitertSums, a_word_is_rounded_once_in_vectors_and_twice_behind_them) {
  const BinaryState t = xnnpack_add.prepare({.a_scale = 8.2226f,
                                             .b_scale = 8.3912f,
                                             .y_scale = 1.1117f,
                                             .a_zero = 0,
                                             .b_zero = 0,
                                             .y_zero = 0,
                                             .low = -32768,
                                             .high = 32767,
                                             .bits = 16});
  EXPECT_EQ(sum_in_vectors(9383, -12024, t, GridStep::once), -21358);
  EXPECT_EQ(xnnpack_add.apply(9383, -12024, t), -21357);
  EXPECT_EQ(sum_in_vectors(-25578, 26646, t, GridStep::once), 11941);
  EXPECT_EQ(xnnpack_add.apply(-25578, 26646, t), 11940);
}

}  // namespace
}  // namespace lockstep
