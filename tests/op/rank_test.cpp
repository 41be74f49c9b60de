#include <gtest/gtest.h>

#include "op/op.h"
#include "support/problem.h"

namespace lockstep {
namespace {

using test::OpProblem;
using test::tensor;
using I = std::int64_t;

TEST(Rank, counts_the_axes) {
  EXPECT_EQ(OpProblem("Rank").input<float>({2, 1}, {1, 2}).run()[0], tensor<std::int32_t>({}, {2}));
  EXPECT_EQ(OpProblem("Rank").input<float>({}, {1}).run()[0], tensor<std::int32_t>({}, {0}));
}

}  // namespace
}  // namespace lockstep
