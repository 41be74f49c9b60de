#include "num/ort_exponentials.h"

#include <gtest/gtest.h>

#include <bit>
#include <limits>
#include <vector>

#include "base/random.h"
#include "num/ort_float.h"

namespace lockstep {
namespace {

// From 1 down to what is denormal and to nothing, and what is no number.
TEST(OrtExponentials, are_those_of_ort_exp_to_the_bit) {
  Random random(3);
  for (int round = 0; round < 400; ++round) {
    std::vector<float> x(static_cast<std::size_t>(random.between(1, 70)));
    for (float& v : x) v = static_cast<float>(-random.unit() * (round % 2 ? 120.0 : 3.0));
    if (round % 7 == 0) x[0] = -std::numeric_limits<float>::infinity();
    if (round % 11 == 0) x.back() = std::numeric_limits<float>::quiet_NaN();
    std::vector<float> y(x.size());
    const float sum = ort_exponentials(x, 0.0f, y);
    float lane[16] = {};
    for (std::size_t i = 0; i < x.size(); ++i) {
      const float want = ort_exp(x[i]);
      if (want == want) {
        ASSERT_EQ(std::bit_cast<std::uint32_t>(y[i]), std::bit_cast<std::uint32_t>(want))
            << "exp of " << x[i];
      } else {
        ASSERT_NE(y[i], y[i]);
      }
      lane[i % 16] += want;
    }
    float half[8];
    for (int l = 0; l < 8; ++l) half[l] = lane[l + 8] + lane[l];
    const float want =
        ((half[0] + half[1]) + (half[2] + half[3])) + ((half[4] + half[5]) + (half[6] + half[7]));
    if (want == want) {
      ASSERT_EQ(std::bit_cast<std::uint32_t>(sum), std::bit_cast<std::uint32_t>(want));
    }
  }
}

TEST(OrtGreatest, is_the_first_where_that_is_no_number) {
  const float none = std::numeric_limits<float>::quiet_NaN();
  std::vector<float> x(40, -2.0f);
  x[37] = 5.0f;
  x[3] = none;
  EXPECT_EQ(ort_greatest(x), 5.0f);
  x[0] = none;
  EXPECT_NE(ort_greatest(x), ort_greatest(x));
}

}  // namespace
}  // namespace lockstep
