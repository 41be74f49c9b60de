#include "num/grid.h"

#include <gtest/gtest.h>

#include <limits>

namespace lockstep {
namespace {

TEST(Grid, finds_the_code_of_its_own_real_value) {
  for (std::int64_t code = -128; code <= 127; ++code) {
    const float real = 0.026929f * static_cast<float>(code + 17);
    EXPECT_EQ(code_on_grid(real, 0.026929f, -17, -128, 127, 0.01), code);
  }
}

TEST(Grid, has_no_code_between_beyond_or_for_nan) {
  EXPECT_FALSE(code_on_grid(0.25, 0.1, 0, -128, 127, 0.01));
  EXPECT_FALSE(code_on_grid(12.8, 0.1, 0, -128, 127, 0.01));
  EXPECT_FALSE(code_on_grid(std::numeric_limits<double>::quiet_NaN(), 0.1, 0, -128, 127, 0.01));
  EXPECT_FALSE(code_on_grid(std::numeric_limits<double>::infinity(), 0.1, 0, -128, 127, 0.01));
}

}  // namespace
}  // namespace lockstep
