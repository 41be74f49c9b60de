#include "num/narrow_sums.h"

#include <gtest/gtest.h>

#include "num/tflite_policies.h"

namespace lockstep {
namespace {

// -3/4: the first rounding makes it -1/2, which goes up; N53 takes it away from zero.
TEST(NarrowSums, are_rounded_twice_the_second_time_half_up) {
  for (const RequantPolicy* p : {&litert_product, &litert_product_by_channel}) {
    const Rescale r = p->prepare(0.5, 0.5, 1);
    EXPECT_EQ(p->apply(-3, r), 0);
    EXPECT_EQ(p->apply(3, r), 1);
    EXPECT_EQ(p->apply(29, r), 8);
    EXPECT_EQ(tflite_conv.apply(-3, r), -1);
  }
}

// 2^31 - 2 times 2: what leaves 32 bits wraps before the product.
TEST(NarrowSums, wrap_when_the_multiplier_is_above_one) {
  const Rescale r = litert_product.prepare(3, 1, 1);  // 0.75 * 2^2
  EXPECT_EQ(litert_product.apply(10, r), 30);
  EXPECT_EQ(litert_product.apply(1 << 30, r), 0);
}

TEST(NarrowSums, with_one_scale_form_the_product_of_scales_in_float32) {
  const double x = 0.1f, w = 0.3f;
  EXPECT_NE(litert_product.prepare(x, w, 1).multiplier,
            litert_product_by_channel.prepare(x, w, 1).multiplier);
  EXPECT_EQ(litert_product_by_channel.prepare(x, w, 1).multiplier,
            tflite_conv.prepare(x, w, 1).multiplier);
}

TEST(NarrowSums, of_64_bits_stay_with_the_reference_rule) {
  const Rescale r = litert_dense.prepare(0.5, 0.5, 1);
  EXPECT_EQ(litert_dense.apply_wide(29, r), 7);
  EXPECT_EQ(litert_dense.apply_wide(-3, r), -1);
}

}  // namespace
}  // namespace lockstep
