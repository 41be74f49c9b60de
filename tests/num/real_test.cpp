#include "num/real.h"

#include <gtest/gtest.h>

#include <cfenv>
#include <limits>

namespace lockstep {
namespace {

TEST(HalfEven, takes_ties_to_the_even_neighbour) {
  EXPECT_EQ(half_even(0.5), 0);
  EXPECT_EQ(half_even(1.5), 2);
  EXPECT_EQ(half_even(-0.5), 0);
  EXPECT_TRUE(std::signbit(half_even(-0.5)));
  EXPECT_EQ(half_even(-2.5), -2);
  EXPECT_EQ(half_even(0.49999999999999994), 0);
}

TEST(HalfEven, equals_the_processor_and_leaves_infinity) {
  std::fesetround(FE_TONEAREST);
  for (int i = -4000; i <= 4000; ++i) EXPECT_EQ(half_even(i / 64.0), std::nearbyint(i / 64.0)) << i;
  EXPECT_EQ(half_even(std::numeric_limits<double>::infinity()),
            std::numeric_limits<double>::infinity());
}

}  // namespace
}  // namespace lockstep
