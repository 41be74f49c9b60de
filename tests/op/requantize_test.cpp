#include <gtest/gtest.h>

#include "op/op.h"
#include "support/problem.h"

namespace lockstep {
namespace {

using test::OpProblem;
using test::tensor;

// 8-bit codes of one step to another: (10 - 2) * 0.5 / 0.25 - 4 = 12
TEST(Requantize, changes_scale_zero_point_and_type) {
  const auto y = OpProblem("Requantize", "tflite-ref")
                     .input<std::uint8_t>({1}, {10}, {{0.5}, {2}, -1})
                     .output({{0.25}, {-4}, -1})
                     .run();
  EXPECT_EQ(y[0].code(0), 12);
}

}  // namespace
}  // namespace lockstep
