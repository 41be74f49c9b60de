#include <gtest/gtest.h>

#include "support/problem.h"

namespace lockstep {
namespace {

TEST(QuantizeLinear, rounds_ties_to_even_and_saturates) {
  const auto y = test::OpProblem("QuantizeLinear", "ort-noopt")
                     .input<float>({4}, {1.f, 3.f, -1000.f, 1000.f})
                     .constant<float>({}, {2.f})
                     .constant<std::uint8_t>({}, {128})
                     .run();
  EXPECT_EQ(y[0], (Tensor::of<std::uint8_t>({4}, std::vector<std::uint8_t>{128, 130, 0, 255})));
}

TEST(QuantizeLinear, takes_one_scale_per_index_of_its_axis) {
  const auto y = test::OpProblem("QuantizeLinear", "ort-noopt")
                     .input<float>({2, 2}, {1.f, 2.f, 3.f, 4.f})
                     .constant<float>({2}, {1.f, 0.5f})
                     .constant<std::int8_t>({2}, {0, 1})
                     .attr("axis", std::int64_t{0})
                     .run();
  EXPECT_EQ(y[0], (Tensor::of<std::int8_t>({2, 2}, std::vector<std::int8_t>{1, 2, 7, 9})));
}

TEST(QuantizeLinear, refuses_a_block_size_over_a_single_scale) {
  const auto y = test::OpProblem("QuantizeLinear", "ort-noopt")
                     .input<float>({2, 2}, {1.f, 2.f, 3.f, 4.f})
                     .constant<float>({}, {1.f})
                     .attr("block_size", std::int64_t{2})
                     .try_run();
  ASSERT_FALSE(y.ok());
  EXPECT_NE(y.error().line().find("block_size 2"), std::string::npos);
}

}  // namespace
}  // namespace lockstep
