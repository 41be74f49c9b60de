#include <gtest/gtest.h>

#include "op/op.h"
#include "support/problem.h"

namespace lockstep {
namespace {

using test::OpProblem;
using test::tensor;

TEST(BoundedRelu, clamps_reals) {
  EXPECT_EQ(OpProblem("BoundedRelu").input<float>({3}, {-1, 3, 9}).attr("high", 6.0).run()[0],
            (tensor<float>({3}, {0, 3, 6})));
}

TEST(BoundedRelu, brings_codes_to_the_scale_of_y) {
  const auto y = OpProblem("BoundedRelu", "tflite-ref")
                     .input<std::int8_t>({3}, {-10, 6, 100}, {{0.5}, {0}, -1})
                     .attr("high", 6.0)
                     .output({{0.1f}, {-128}, -1})
                     .run();
  EXPECT_EQ(y[0], (tensor<std::int8_t>({3}, {-128, -98, -68})));
}

}  // namespace
}  // namespace lockstep
