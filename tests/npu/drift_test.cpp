#include "npu/drift.h"

#include <gtest/gtest.h>

#include "npu/silent.h"
#include "num/neural_art.h"
#include "num/ort_codes.h"
#include "num/tflite_policies.h"

namespace lockstep {
namespace {

// What the reference's own rounding allows follows from how it rounds: TFLite brings the product to
// 2^-n of a code first, n the halvings of its multiplier.
TEST(NpuDrift, the_reference_rounds_by_its_own_rule) {
  EXPECT_NEAR(rounding_of(ort_requant, 0.05, 0.01, 0.02), 0.5, 1e-3);
  EXPECT_NEAR(rounding_of(neural_art_requant, 0.05, 0.01, 0.02), 0.5, 1e-3);
  EXPECT_GT(rounding_of(tflite_conv, 0.05, 0.0123, 0.02),
            0.505);  // 0.031: n = 5, at most 0.5 + 2^-6
  EXPECT_LE(rounding_of(tflite_conv, 0.05, 0.0123, 0.02), 0.5157);
  EXPECT_GT(rounding_of(tflite_conv, 0.05, 0.12, 0.02), 0.7);  // 0.3: n = 1, at most 0.75
  EXPECT_EQ(rounding_of(tflite_conv, 0, 0.2, 0.02), 0.5);
}

TEST(NpuDrift,
     a_code_between_half_and_what_the_reference_may_round_is_explained_only_where_it_rounds_twice) {
  NpuDrift d;
  d.step = {0}, d.multiplier_error = {0}, d.constant_error = {0}, d.offset = {0},
  d.reference_rounding = {0.5};
  // exact 10 of the program's constants covers 9.5 to 10.5 under the model; 12 needs 1.5 of the
  // reference's rounding
  EXPECT_EQ(cause_of(d, 0, 11, 10, 10), NpuCause::rounding);
  EXPECT_EQ(cause_of(d, 0, 12, 10, 10), NpuCause::unexplained);
  d.reference_rounding = {1.5};
  EXPECT_NE(cause_of(d, 0, 12, 10, 10), NpuCause::unexplained);
}

// The sums of this channel end at codes -70 and 60: what the model has beyond that is cut off
// there.
TEST(NpuDrift, codes_beyond_what_16_bits_reach_are_saturation_and_no_others) {
  NpuDrift d;
  d.step = {0}, d.multiplier_error = {0}, d.constant_error = {0}, d.offset = {0},
  d.reference_rounding = {0.5};
  EXPECT_EQ(cause_of(d, 0, 90, 90, 60), NpuCause::unexplained);  // nothing says where sums end
  d.lowest = {-70}, d.highest = {60};
  EXPECT_EQ(cause_of(d, 0, 90, 90, 60), NpuCause::saturation);
  EXPECT_EQ(cause_of(d, 0, -100, -100, -70), NpuCause::saturation);
  EXPECT_EQ(cause_of(d, 0, 90, 90, 50), NpuCause::unexplained);
  EXPECT_EQ(cause_of(d, 0, 40, 40, 60), NpuCause::unexplained);
}

// x [1,1,3,3], a 2x2 kernel without padding: only the window over four zero points is silent.
TEST(NpuDrift, a_sum_of_zeros_alone_is_silent) {
  GraphBuilder b("m", "onnx");
  const auto value = [&](const char* name, DType type, Shape shape) {
    Value v;
    v.name = name, v.dtype = type, v.shape = std::move(shape);
    if (type == DType::i8) v.quant = {{0.5}, {-3}, -1};
    return b.add_value(std::move(v));
  };
  const ValueId x = value("x", DType::i8, {1, 1, 3, 3}), w = value("w", DType::i8, {2, 1, 2, 2}),
                y = value("y", DType::i8, {1, 2, 2, 2});
  b.value(w).constant = std::make_shared<const Tensor>(DType::i8, Shape{2, 1, 2, 2});
  b.add_input(x);
  Node n;
  n.op = "Conv", n.name = "c", n.inputs = {x, w}, n.outputs = {y};
  b.add_node(std::move(n));
  b.add_output(y);
  const auto g = std::move(b).finish();
  ASSERT_TRUE(g.ok()) << g.error().line();
  Tensor codes(DType::i8, {1, 1, 3, 3});
  for (int i = 0; i < 9; ++i) codes.set_code(i, i == 8 || i == 2 || i == 6 ? 5 : -3);
  const auto silent = silent_sums(*g, "c", {{"x", codes}});
  EXPECT_EQ(silent, std::vector<bool>({true, false, false, false, true, false, false, false}));
  EXPECT_TRUE(silent_sums(*g, "c", {}).empty());
  EXPECT_TRUE(silent_sums(*g, "other", {{"x", codes}}).empty());
}

}  // namespace
}  // namespace lockstep
