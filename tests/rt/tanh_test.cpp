// The hyperbolic tangent of boards against this machine's.
#include <gnu/libc-version.h>
#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>
#include <string_view>

#define LS_OWN_TANH 1
#include "../../rt/ls_tanh.h"

namespace lockstep {
namespace {

// Networks with LSTMs of floats differed on the board, where the C library's tanhf has other last
// bits.
TEST(Tanh, is_glibc_s_to_the_bit_for_every_401st_float_of_either_sign) {
  const std::string_view version = gnu_get_libc_version();
  if (version != "2.36") GTEST_SKIP() << "its bits are those of glibc 2.36, here is " << version;
  int differ = 0;
  for (std::uint32_t bits = 0; bits <= 0x7f800000u; bits += 401) {
    const float x = std::bit_cast<float>(bits);
    for (const float v : {x, -x})
      if (std::bit_cast<std::uint32_t>(ls_tanhf(v)) != std::bit_cast<std::uint32_t>(std::tanh(v)) &&
          differ++ == 0)
        ADD_FAILURE() << "first at " << v << ": " << ls_tanhf(v) << ", the library's "
                      << std::tanh(v);
  }
  EXPECT_EQ(differ, 0);
  EXPECT_TRUE(std::isnan(ls_tanhf(std::numeric_limits<float>::quiet_NaN())));
  EXPECT_EQ(ls_tanhf(std::numeric_limits<float>::infinity()), 1.0f);
}

}  // namespace
}  // namespace lockstep
