#include <gtest/gtest.h>

#include "support/problem.h"

namespace lockstep {
namespace {

using test::OpProblem;
using test::tensor;

OpProblem square() {
  return OpProblem("GridSample").input<float>({1, 1, 2, 2}, {0, 1, 2, 3});
}

// -1 and 1 are the outer edges, or with align_corners the outer centres.
TEST(GridSample, reads_column_before_row) {
  const auto y = square().input<float>({1, 1, 3, 2}, {0.5f, -0.5f, 0, 0, -1, -1}).run()[0];
  EXPECT_EQ(y, tensor<float>({1, 1, 1, 3}, {1, 1.5f, 0}));
  const auto corners = square()
                           .input<float>({1, 1, 2, 2}, {1, -1, 0, 1})
                           .attr("align_corners", std::int64_t{1})
                           .run()[0];
  EXPECT_EQ(corners, tensor<float>({1, 1, 1, 2}, {1, 2.5f}));
}

TEST(GridSample, pads_with_zeros_the_border_or_a_reflection) {
  const auto at = [](const char* padding) {
    return square()
        .input<float>({1, 1, 1, 2}, {2.5f, 0.5f})
        .attr("mode", std::string("nearest"))
        .attr("padding_mode", std::string(padding))
        .run()[0];
  };
  EXPECT_EQ(at("zeros"), tensor<float>({1, 1, 1, 1}, {0}));
  EXPECT_EQ(at("border"), tensor<float>({1, 1, 1, 1}, {3}));
  EXPECT_EQ(at("reflection"), tensor<float>({1, 1, 1, 1}, {2}));
}

// onnxruntime 1.30 (N105): two ways of joining four neighbours.
TEST(GridSample, joins_neighbours_as_the_runtime_to_the_bit) {
  const auto at = [](const char* padding) {
    return OpProblem("GridSample")
        .input<float>({1, 1, 2, 2}, {0.625f, 1.0625f, 1.6875f, -0.125f})
        .input<float>({1, 1, 2, 2}, {-0.3f, 0.4f, 0.9f, -1.1f})
        .attr("padding_mode", std::string(padding))
        .run()[0];
  };
  EXPECT_EQ(at("zeros"), tensor<float>({1, 1, 1, 2}, {0x1.43851cp+0f, 0x1.051eb8p-2f}));
  EXPECT_EQ(at("border"), tensor<float>({1, 1, 1, 2}, {0x1.43851ep+0f, 0x1.1p+0f}));
}

}  // namespace
}  // namespace lockstep
