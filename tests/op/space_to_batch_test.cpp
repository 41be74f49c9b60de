#include <gtest/gtest.h>

#include "op/op.h"
#include "support/problem.h"

namespace lockstep {
namespace {

using test::OpProblem;
using test::tensor;

TEST(SpaceToBatch, deals_positions_into_batches) {
  const auto y = OpProblem("SpaceToBatch")
                     .input<float>({1, 3, 1}, {1, 2, 3})
                     .constant<std::int32_t>({1}, {2})
                     .constant<std::int32_t>({1, 2}, {0, 1})
                     .run();
  EXPECT_EQ(y[0], (tensor<float>({2, 2, 1}, {1, 3, 2, 0})));
}

// TFLite Micro's kernel never learns the zero point (N114).
TEST(SpaceToBatch, fills_codes_with_the_zero_point_or_with_code_0_where_that_is_said) {
  const auto of = [](const char* fill) {
    return OpProblem("SpaceToBatch")
        .input<std::int8_t>({1, 3, 1}, {1, 2, 3}, {{0.5}, {-7}, -1})
        .constant<std::int32_t>({1}, {2})
        .constant<std::int32_t>({1, 2}, {0, 1})
        .attr("fill", std::string(fill))
        .output({{0.5}, {-7}, -1})
        .run()[0];
  };
  EXPECT_EQ(of("zero_point"), (tensor<std::int8_t>({2, 2, 1}, {1, 3, 2, -7})));
  EXPECT_EQ(of("zero"), (tensor<std::int8_t>({2, 2, 1}, {1, 3, 2, 0})));
}

}  // namespace
}  // namespace lockstep
