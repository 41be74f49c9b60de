#include <gtest/gtest.h>

#include "op/op.h"
#include "support/problem.h"

namespace lockstep {
namespace {

using test::OpProblem;
using test::tensor;

TEST(SpaceToBatch, deals_positions_into_batches) {
  const auto y = OpProblem("SpaceToBatch").input<float>({1, 3, 1}, {1, 2, 3}).constant<std::int32_t>({1}, {2}).constant<std::int32_t>({1, 2}, {0, 1}).run();
  EXPECT_EQ(y[0], (tensor<float>({2, 2, 1}, {1, 3, 2, 0})));
}

}  // namespace
}  // namespace lockstep
