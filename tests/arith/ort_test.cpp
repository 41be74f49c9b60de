#include <gtest/gtest.h>

#include "arith/arith.h"

namespace lockstep {
namespace {

TEST(OrtArithmetic, names_the_exact_runtime_it_equals) {
  const Arithmetic* a = find_arithmetic("ort");
  ASSERT_NE(a, nullptr);
  EXPECT_EQ(a->version, "1.30.0");
  EXPECT_NE(a->numerics->quantize, nullptr);
  EXPECT_NE(a->numerics->real.convolution, nullptr);
}

}  // namespace
}  // namespace lockstep
