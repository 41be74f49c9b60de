#include <gtest/gtest.h>

#include "support/problem.h"

namespace lockstep {
namespace {

TEST(ReduceProd, multiplies) {
  const auto y = test::OpProblem("ReduceProd").input<std::int64_t>({3}, {2, 3, 4}).run();
  EXPECT_EQ(y[0], (Tensor::of<std::int64_t>({1}, std::vector<std::int64_t>{24})));
}

}  // namespace
}  // namespace lockstep
