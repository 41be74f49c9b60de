#include <gtest/gtest.h>

#include "support/problem.h"

namespace lockstep {
namespace {

TEST(ConvInteger, pads_with_the_zero_point) {
  const auto y = test::OpProblem("ConvInteger")
                     .input<std::uint8_t>({1, 1, 1, 2}, {3, 5})
                     .input<std::uint8_t>({1, 1, 1, 3}, {1, 1, 1})
                     .input<std::uint8_t>({}, {1})
                     .attr("pads", std::vector<std::int64_t>{0, 1, 0, 1})
                     .run();
  EXPECT_EQ(y[0], (Tensor::of<std::int32_t>({1, 1, 1, 2}, std::vector<std::int32_t>{6, 6})));
}

}  // namespace
}  // namespace lockstep
