#include "ir/tensor.h"

#include <gtest/gtest.h>

namespace lockstep {
namespace {

TEST(Tensor, a_shape_of_more_than_2_to_40_elements_is_refused_before_anything_is_allocated) {
  EXPECT_FALSE(checked_count({1 << 20, 1 << 20, 2}, "m").ok());
  EXPECT_TRUE(checked_count({1 << 20, 0, INT64_MAX}, "m").ok());
  EXPECT_FALSE(checked_count({-1}, "m").ok());
}

TEST(Tensor, codes_wrap_to_the_width_of_the_type) {
  Tensor t(DType::i8, {2});
  t.set_code(0, 200);
  EXPECT_EQ(t.code(0), -56);
  EXPECT_EQ(t.code(1), 0);
}

TEST(Tensor, a_scalar_has_one_element) {
  EXPECT_EQ(Tensor::scalar(3.5f).count(), 1);
  EXPECT_EQ(Tensor::scalar(3.5f).number(0), 3.5);
}

}  // namespace
}  // namespace lockstep
