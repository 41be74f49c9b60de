#include <gtest/gtest.h>

#include "op/op.h"
#include "support/problem.h"

namespace lockstep {
namespace {

using test::OpProblem;
using test::tensor;

TEST(ResizeNearest, repeats_pixels) {
  const auto y = OpProblem("ResizeNearest")
                     .input<float>({1, 1, 2, 1}, {1, 2})
                     .constant<std::int32_t>({2}, {1, 4})
                     .run();
  EXPECT_EQ(y[0], (tensor<float>({1, 1, 4, 1}, {1, 1, 2, 2})));
}

}  // namespace
}  // namespace lockstep
