#include <gtest/gtest.h>

#include <algorithm>

#include "support/problem.h"

namespace lockstep {
namespace {

using test::OpProblem;
using test::tensor;

// Two columns of one block of 16: codes 9 (8 + 1) throughout, and 0xf then 8 in turn; steps 0.5
// and 2.
OpProblem problem(std::string_view arithmetic, std::int64_t rows) {
  std::vector<float> x(static_cast<std::size_t>(rows) * 16, 1);
  std::vector<std::uint8_t> codes(16, 0x99);
  std::fill(codes.begin() + 8, codes.end(), std::uint8_t{0x8f});
  OpProblem p("MatMulNBits", arithmetic);
  p.input<float>({rows, 16}, x)
      .constant<std::uint8_t>({2, 1, 8}, codes)
      .constant<float>({2}, {0.5f, 2});
  return p.attr("K", std::int64_t{16})
      .attr("N", std::int64_t{2})
      .attr("bits", std::int64_t{4})
      .attr("block_size", std::int64_t{16});
}

TEST(MatMulNBits, codes_of_four_bits_stand_lower_half_first_about_eight) {
  for (const std::string_view arithmetic : {"float", "ort"}) {
    EXPECT_EQ(problem(arithmetic, 1).run()[0], (tensor<float>({1, 2}, {8, 112})));
    EXPECT_EQ(problem(arithmetic, 2).run()[0], (tensor<float>({2, 2}, {8, 112, 8, 112})));
  }
}

TEST(MatMulNBits, zero_points_and_bias_belong_to_columns) {
  const auto y =
      problem("ort", 1).constant<std::uint8_t>({2}, {9, 15}).constant<float>({2}, {1, -1}).run();
  EXPECT_EQ(y[0], (tensor<float>({1, 2}, {1, -113})));
}

TEST(MatMulNBits, refuses_codes_that_are_not_whole_blocks) {
  auto p = problem("float", 1);
  EXPECT_FALSE(p.attr("K", std::int64_t{17}).try_run().ok());
  EXPECT_FALSE(problem("float", 1).attr("block_size", std::int64_t{8}).try_run().ok());
}

}  // namespace
}  // namespace lockstep
