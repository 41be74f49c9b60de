#include "num/npu_fixed.h"

#include <gtest/gtest.h>

namespace lockstep {
namespace {

TEST(NpuFixed, shifts_round_to_nearest_and_break_ties_as_named) {
  // 5/2 = 2.5 and -5/2 = -2.5
  EXPECT_EQ(npu_shift(5, 1, NpuTie::away), 3);
  EXPECT_EQ(npu_shift(-5, 1, NpuTie::away), -3);
  EXPECT_EQ(npu_shift(5, 1, NpuTie::up), 3);
  EXPECT_EQ(npu_shift(-5, 1, NpuTie::up), -2);
  EXPECT_EQ(npu_shift(5, 1, NpuTie::even), 2);
  EXPECT_EQ(npu_shift(-5, 1, NpuTie::even), -2);
  EXPECT_EQ(npu_shift(5, 1, NpuTie::odd), 3);
  EXPECT_EQ(npu_shift(-5, 1, NpuTie::odd), -3);
  EXPECT_EQ(npu_shift(5, 1, NpuTie::zero), 2);
  EXPECT_EQ(npu_shift(-5, 1, NpuTie::zero), -2);
  EXPECT_EQ(npu_shift(5, 1, NpuTie::down), 2);
  EXPECT_EQ(npu_shift(-5, 1, NpuTie::down), -3);
  EXPECT_EQ(npu_shift(7, 2, NpuTie::floor), 1);
  EXPECT_EQ(npu_shift(-7, 2, NpuTie::floor), -2);
  EXPECT_EQ(npu_shift(-3, -2, NpuTie::away), -12);
}

TEST(NpuFixed, rules_differ_only_at_ties_and_the_branch_free_form_is_away) {
  for (std::int64_t v = -5000; v <= 5000; ++v)
    for (int s = 1; s <= 9; ++s) {
      EXPECT_EQ(npu_shift_away(v, s), npu_shift(v, s, NpuTie::away)) << v << " >> " << s;
      const double exact = static_cast<double>(v) / static_cast<double>(1 << s);
      for (const NpuTie tie :
           {NpuTie::away, NpuTie::up, NpuTie::even, NpuTie::odd, NpuTie::zero, NpuTie::down}) {
        const double off = static_cast<double>(npu_shift(v, s, tie)) - exact;
        EXPECT_LE(off < 0 ? -off : off, 0.5);
        if (!npu_is_tie(v, s)) {
          EXPECT_EQ(npu_shift(v, s, tie), npu_shift(v, s, NpuTie::up));
        }
      }
    }
}

TEST(NpuFixed, saturates_or_wraps_to_bytes) {
  EXPECT_EQ(npu_saturate(40000, 2), 32767);
  EXPECT_EQ(npu_saturate(-40000, 2), -32768);
  EXPECT_EQ(npu_saturate(9000000, 3), 8388607);
  EXPECT_EQ(npu_wrap(128, 1), -128);
  EXPECT_EQ(npu_wrap(-129, 1), 127);
  EXPECT_EQ(npu_wrap(255, 1), -1);
}

TEST(NpuFixed, tie_rules_have_names) {
  EXPECT_EQ(npu_tie_named("away"), NpuTie::away);
  EXPECT_EQ(npu_tie_named("floor"), NpuTie::floor);
  EXPECT_FALSE(npu_tie_named("sideways"));
}

}  // namespace
}  // namespace lockstep
