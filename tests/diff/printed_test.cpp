// Reals that were printed with few digits are what they were printed from.
#include "diff/printed.h"

#include <gtest/gtest.h>

namespace lockstep {
namespace {

constexpr float step = 0.30303f;

// codes -> DequantizeLinear -> y [1,n]
Graph dequantized(std::int64_t n) {
  GraphBuilder b("m.onnx", "onnx");
  Value codes, y;
  codes.name = "codes";
  codes.dtype = DType::i8;
  codes.shape = {1, n};
  codes.quant = {{step}, {-3}, -1};
  y.name = "y";
  y.shape = {1, n};
  const ValueId from = b.add_value(std::move(codes)), to = b.add_value(std::move(y));
  b.add_input(from);
  b.add_node({"dq", "DequantizeLinear", {}, {from}, {to}, {}});
  b.add_output(to);
  return std::move(std::move(b).finish()).value();
}

std::vector<Sample> recorded(std::vector<float> numbers) {
  const auto n = static_cast<std::int64_t>(numbers.size());
  return {{{"y", Tensor::of<float>({1, n}, numbers)}}};
}

TEST(Printed, reals_of_few_digits_become_the_codes_they_were) {
  // -4, 7, 11 and 120 steps with two digits.
  std::vector<Sample> device = recorded({-1.21f, 2.12f, 3.33f, 36.36f});
  const auto notes = restore_printed(dequantized(4), device);
  ASSERT_EQ(notes.size(), 1u);
  EXPECT_NE(notes[0].find("few digits"), std::string::npos) << notes[0];
  const float want[] = {-4 * step, 7 * step, 11 * step, 120 * step};
  for (std::int64_t i = 0; i < 4; ++i)
    EXPECT_EQ(static_cast<float>(device[0].at("y").number(i)), want[i]) << i;
}

TEST(Printed, reals_between_the_codes_stay_as_they_are) {
  const std::vector<float> between = {-1.21f, 2.2f, 3.33f, 36.36f};
  std::vector<Sample> device = recorded(between);
  EXPECT_TRUE(restore_printed(dequantized(4), device).empty());
  EXPECT_EQ(static_cast<float>(device[0].at("y").number(1)), 2.2f);
}

TEST(Printed, too_few_values_prove_no_print) {
  std::vector<Sample> device = recorded({-1.21f, 2.12f, 3.33f});
  EXPECT_TRUE(restore_printed(dequantized(3), device).empty());
}

TEST(Printed, a_value_that_no_code_means_is_left) {
  // 140 steps: no code of 8 bits.
  std::vector<Sample> device = recorded({-1.21f, 2.12f, 3.33f, 42.42f});
  EXPECT_TRUE(restore_printed(dequantized(4), device).empty());
}

}  // namespace
}  // namespace lockstep
