#include <gtest/gtest.h>

#include "op/op.h"
#include "support/problem.h"

namespace lockstep {
namespace {

using test::OpProblem;
using test::tensor;

TEST(Rsqrt, of_reals) {
  EXPECT_EQ(OpProblem("Rsqrt").input<float>({2}, {4, 0.25f}).run()[0],
            (tensor<float>({2}, {0.5f, 2})));
}

// real 4 is 0.5: code 50 at step 0.01; zero gives the greatest code
TEST(Rsqrt, of_codes_and_refuses_negative_ones) {
  OpProblem good("Rsqrt", "tflite-ref"), bad("Rsqrt", "tflite-ref");
  good.input<std::int8_t>({2}, {4, 0}, {{1.0}, {0}, -1}).output({{0.01f}, {0}, -1});
  EXPECT_EQ(good.run()[0], (tensor<std::int8_t>({2}, {50, 127})));
  EXPECT_FALSE(bad.input<std::int8_t>({1}, {-1}, {{1.0}, {0}, -1})
                   .output({{0.01f}, {0}, -1})
                   .try_run()
                   .ok());
}

}  // namespace
}  // namespace lockstep
