#include <gtest/gtest.h>

#include "arith/arith.h"

namespace lockstep {
namespace {

// 29 / 4 = 7.25 and 30 / 4 = 7.5: once, half up.
TEST(CmsisNnSingle, layers_round_once_half_up) {
  const Numerics& n = *find_arithmetic("cmsis-nn-single")->numerics;
  const Rescale quarter = n.conv->prepare(0.5, 0.5, 1.0);
  EXPECT_EQ(n.conv->apply(29, quarter), 7);
  EXPECT_EQ(n.conv->apply(30, quarter), 8);
  EXPECT_EQ(n.conv->apply(-30, quarter), -7);
  EXPECT_EQ(n.dense->apply(29, n.dense->prepare(0.5, 0.5, 1.0)), 7);
}

}  // namespace
}  // namespace lockstep
