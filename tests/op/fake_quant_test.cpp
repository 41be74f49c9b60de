#include <gtest/gtest.h>

#include "support/problem.h"

namespace lockstep {
namespace {

TEST(FakeQuant, moves_the_range_so_that_zero_is_a_code_and_rounds_ties_away) {
  const auto held = [](double min) {
    return test::OpProblem("FakeQuant", "tflite-ref")
        .input<float>({6}, {-9, -0.5f, 0, 0.5f, 1.25f, 9})
        .attr("min", min)
        .attr("max", min + 3)
        .attr("num_bits", std::int64_t{2})
        .run()[0];
  };
  EXPECT_EQ(held(-1), Tensor::of<float>({6}, std::vector<float>{-1, 0, 0, 1, 1, 2}));
  EXPECT_EQ(held(-0.75), Tensor::of<float>({6}, std::vector<float>{-1, 0, 0, 1, 1, 2}));
}

TEST(FakeQuant, of_an_empty_range_or_a_single_bit_is_refused) {
  const auto tried = [](double max, std::int64_t bits) {
    return test::OpProblem("FakeQuant", "tflite-ref")
        .input<float>({1}, {1})
        .attr("min", 1.0)
        .attr("max", max)
        .attr("num_bits", bits)
        .try_run();
  };
  EXPECT_TRUE(tried(2, 8).ok());
  EXPECT_FALSE(tried(1, 8).ok());
  EXPECT_FALSE(tried(2, 1).ok());
}

}  // namespace
}  // namespace lockstep
