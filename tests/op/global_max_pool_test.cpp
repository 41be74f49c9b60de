#include <gtest/gtest.h>

#include "support/problem.h"

namespace lockstep {
namespace {

TEST(GlobalMaxPool, leaves_the_greatest_of_each_channel) {
  const auto y = test::OpProblem("GlobalMaxPool")
                     .input<std::int8_t>({1, 2, 2}, {-9, -4, 3, 1}, {{0.5}, {7}, -1})
                     .run();
  EXPECT_EQ(y[0], (Tensor::of<std::int8_t>({1, 2, 1}, std::vector<std::int8_t>{-4, 3})));
}

}  // namespace
}  // namespace lockstep
