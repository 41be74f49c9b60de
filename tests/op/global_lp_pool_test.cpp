#include <gtest/gtest.h>

#include "support/problem.h"

namespace lockstep {
namespace {

TEST(GlobalLpPool, is_the_length_of_each_plane) {
  const auto y = test::OpProblem("GlobalLpPool").input<float>({1, 2, 1, 2}, {3, 4, -6, 8}).run();
  EXPECT_EQ(y[0], Tensor::of<float>({1, 2, 1, 1}, std::vector<float>{5, 10}));
}

}  // namespace
}  // namespace lockstep
