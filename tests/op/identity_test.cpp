#include <gtest/gtest.h>

#include "op/op.h"
#include "support/problem.h"

namespace lockstep {
namespace {

using test::OpProblem;
using test::tensor;
using I = std::int64_t;

TEST(Identity, passes_codes_and_reals) {
  EXPECT_EQ(OpProblem("Identity").input<std::int8_t>({2}, {-128, 127}, {{0.5}, {3}, -1}).run()[0],
            tensor<std::int8_t>({2}, {-128, 127}));
  EXPECT_EQ(OpProblem("Identity").input<float>({}, {1.5f}).run()[0], tensor<float>({}, {1.5f}));
}

}  // namespace
}  // namespace lockstep
