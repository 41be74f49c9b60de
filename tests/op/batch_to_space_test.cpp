#include <gtest/gtest.h>

#include "op/op.h"
#include "support/problem.h"

namespace lockstep {
namespace {

using test::OpProblem;
using test::tensor;

TEST(BatchToSpace, puts_them_back_and_crops) {
  const auto y = OpProblem("BatchToSpace")
                     .input<float>({2, 2, 1}, {1, 3, 2, 0})
                     .constant<std::int32_t>({1}, {2})
                     .constant<std::int32_t>({1, 2}, {0, 1})
                     .run();
  EXPECT_EQ(y[0], (tensor<float>({1, 3, 1}, {1, 2, 3})));
}

}  // namespace
}  // namespace lockstep
