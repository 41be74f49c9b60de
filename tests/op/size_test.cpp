#include <gtest/gtest.h>

#include "op/op.h"
#include "support/problem.h"

namespace lockstep {
namespace {

using test::OpProblem;
using test::tensor;
using I = std::int64_t;

TEST(Size, counts_the_elements) {
  EXPECT_EQ(OpProblem("Size").input<float>({2, 1, 3}, {1, 2, 3, 4, 5, 6}).run()[0],
            tensor<I>({}, {6}));
  EXPECT_EQ(OpProblem("Size").input<float>({0, 3}, {}).run()[0], tensor<I>({}, {0}));
}

}  // namespace
}  // namespace lockstep
