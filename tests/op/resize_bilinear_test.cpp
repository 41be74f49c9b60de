#include <gtest/gtest.h>

#include "op/op.h"
#include "support/problem.h"

namespace lockstep {
namespace {

using test::OpProblem;
using test::tensor;

TEST(ResizeBilinear, mixes_neighbours) {
  OpProblem p("ResizeBilinear");
  p.input<float>({1, 1, 2, 1}, {0, 4}).constant<std::int32_t>({2}, {1, 4});
  EXPECT_EQ(p.run()[0], (tensor<float>({1, 1, 4, 1}, {0, 2, 4, 4})));
  EXPECT_EQ(p.attr("half_pixel_centers", std::int64_t{1}).run()[0],
            (tensor<float>({1, 1, 4, 1}, {0, 1, 3, 4})));
}

// 1.5 and -1.5 go away from zero
TEST(ResizeBilinear, rounds_codes_away_from_zero) {
  const auto y = OpProblem("ResizeBilinear", "tflite-ref")
                     .input<std::int8_t>({1, 1, 2, 2}, {0, 0, 3, -3}, {{0.5}, {0}, -1})
                     .constant<std::int32_t>({2}, {1, 4})
                     .output({{0.5}, {0}, -1})
                     .run();
  EXPECT_EQ(y[0], (tensor<std::int8_t>({1, 1, 4, 2}, {0, 0, 2, -2, 3, -3, 3, -3})));
}

}  // namespace
}  // namespace lockstep
