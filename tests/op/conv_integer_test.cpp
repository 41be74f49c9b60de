#include <gtest/gtest.h>

#include "support/problem.h"

namespace lockstep {
namespace {

TEST(ConvInteger,
     takes_the_zero_points_off_before_it_sums) {  // (3-1)*1 + (5-1)*2, then (5-1)*1 + pad*2
  const auto y = test::OpProblem("ConvInteger")
                     .input<std::uint8_t>({1, 1, 2}, {3, 5})
                     .constant<std::uint8_t>({1, 1, 2}, {11, 12})
                     .constant<std::uint8_t>({}, {1})
                     .constant<std::uint8_t>({}, {10})
                     .attr("pads", std::vector<std::int64_t>{0, 1})
                     .run();
  EXPECT_EQ(y[0], (Tensor::of<std::int32_t>({1, 1, 2}, std::vector<std::int32_t>{10, 4})));
}

TEST(ConvInteger, takes_one_weight_zero_point_per_output_channel) {
  const auto y = test::OpProblem("ConvInteger")
                     .input<std::int8_t>({1, 1, 1}, {2})
                     .constant<std::int8_t>({2, 1, 1}, {5, 5})
                     .absent()
                     .constant<std::int8_t>({2}, {0, 1})
                     .run();
  EXPECT_EQ(y[0], (Tensor::of<std::int32_t>({1, 2, 1}, std::vector<std::int32_t>{10, 8})));
}

TEST(ConvInteger, refuses_floats) {
  EXPECT_FALSE(test::OpProblem("ConvInteger")
                   .input<float>({1, 1, 1}, {2})
                   .constant<float>({1, 1, 1}, {5})
                   .try_run()
                   .ok());
}

}  // namespace
}  // namespace lockstep
