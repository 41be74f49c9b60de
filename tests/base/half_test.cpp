#include "base/half.h"

#include <gtest/gtest.h>

#include <cmath>

namespace lockstep {
namespace {

TEST(Half, widens_to_its_value) {
  EXPECT_EQ(widen_half(0x3c00), 1.0f);
  EXPECT_EQ(widen_half(0xc000), -2.0f);
  EXPECT_EQ(widen_half(0x7bff), 65504.0f);
  EXPECT_EQ(widen_half(0x0001), 0x1p-24f);
  EXPECT_EQ(widen_half(0x83ff), -1023 * 0x1p-24f);
  EXPECT_TRUE(std::signbit(widen_half(0x8000)));
  EXPECT_TRUE(std::isinf(widen_half(0xfc00)));
  EXPECT_TRUE(std::isnan(widen_half(0x7e00)));
}

}  // namespace
}  // namespace lockstep
