#include <gtest/gtest.h>

#include "support/problem.h"

namespace lockstep {
namespace {

using List = std::vector<std::int64_t>;

TEST(L2Pool, takes_the_root_of_the_mean_square_of_what_lies_inside) {
  const auto y = test::OpProblem("L2Pool", "tflite-ref")
                     .input<float>({1, 1, 3, 1}, {1, -7, 6})
                     .attr("layout", "NHWC")
                     .attr("kernel_shape", List{1, 2})
                     .attr("strides", List{1, 2})
                     .attr("pads", List{0, 0, 0, 1})
                     .run();
  EXPECT_EQ(y[0], Tensor::of<float>({1, 1, 2, 1}, std::vector<float>{5, 6}));
}

TEST(L2Pool, of_codes_is_refused) {
  EXPECT_FALSE(test::OpProblem("L2Pool", "tflite-ref")
                   .input<std::int8_t>({1, 1, 2, 1}, {1, 2}, {{0.5}, {0}, -1})
                   .attr("layout", "NHWC")
                   .attr("kernel_shape", List{1, 2})
                   .try_run()
                   .ok());
}

}  // namespace
}  // namespace lockstep
