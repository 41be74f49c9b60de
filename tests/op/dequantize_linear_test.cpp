#include <gtest/gtest.h>

#include "support/problem.h"

namespace lockstep {
namespace {

TEST(DequantizeLinear, scales_the_distance_from_the_zero_point) {
  const auto y = test::OpProblem("DequantizeLinear", "ort-noopt")
                     .input<std::int8_t>({3}, {-128, 5, 127})
                     .constant<float>({}, {0.25f})
                     .constant<std::int8_t>({}, {5})
                     .run();
  EXPECT_EQ(y[0], (Tensor::of<float>({3}, std::vector<float>{-33.25f, 0.f, 30.5f})));
}

TEST(DequantizeLinear, takes_a_scale_per_block) {
  const auto y = test::OpProblem("DequantizeLinear", "ort-noopt")
                     .input<std::int8_t>({4, 1}, {1, 1, 1, 1})
                     .constant<float>({2, 1}, {0.5f, 2.f})
                     .attr("axis", std::int64_t{0})
                     .attr("block_size", std::int64_t{2})
                     .run();
  EXPECT_EQ(y[0], (Tensor::of<float>({4, 1}, std::vector<float>{0.5f, 0.5f, 2.f, 2.f})));
}

}  // namespace
}  // namespace lockstep
