#include <gtest/gtest.h>

#include "support/problem.h"

namespace lockstep {
namespace {

using Bytes = std::vector<std::uint8_t>;

TEST(BitShift, loses_what_leaves_the_type) {
  const auto y = test::OpProblem("BitShift")
                     .input<std::uint8_t>({3}, {1, 129, 255})
                     .input<std::uint8_t>({3}, {1, 1, 8})
                     .attr("direction", std::string("LEFT"))
                     .run();
  EXPECT_EQ(y[0], Tensor::of<std::uint8_t>({3}, Bytes{2, 2, 0}));
}

TEST(BitShift, to_the_right_under_broadcasting) {
  const auto y = test::OpProblem("BitShift")
                     .input<std::uint8_t>({3}, {1, 129, 255})
                     .input<std::uint8_t>({1}, {1})
                     .attr("direction", std::string("RIGHT"))
                     .run();
  EXPECT_EQ(y[0], Tensor::of<std::uint8_t>({3}, Bytes{0, 64, 127}));
}

}  // namespace
}  // namespace lockstep
