#include "num/xnnpack_float.h"

#include <gtest/gtest.h>

#include "arith/arith.h"

namespace lockstep {
namespace {

// 1 + 2^-12 squared is 1 + 2^-11 + 2^-24: the last bit is lost where the product is rounded by itself.
TEST(XnnpackFloat, a_product_is_fused_into_the_sum_that_begins_at_the_bias) {
  const float a[] = {1.0f + 0x1p-12f, 2.0f}, b[] = {1.0f + 0x1p-12f, 0.5f};
  EXPECT_EQ(fused_from(-1.0f, a, 1, b, 1, 1), 0x1p-11f + 0x1p-24f);
  EXPECT_EQ(fused_from(3.0f, a + 1, 1, b + 1, 1, 1), 4.0f);
  EXPECT_EQ(fused_from(7.0f, a, 1, b, 1, 0), 7.0f);
}

TEST(XnnpackFloat, only_the_arithmetic_of_the_delegate_sums_so) {
  for (const char* const name : {"tflite", "tflite-ref", "cmsis-nn", "ort", "float"})
    EXPECT_EQ(sums_from_bias(*find_arithmetic(name)->numerics), std::string_view(name) == "tflite") << name;
}

}  // namespace
}  // namespace lockstep
