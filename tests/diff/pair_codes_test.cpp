// Captures in another form than the reference's: codes as reals, reals of codes, other signs.
#include <gtest/gtest.h>

#include "diff/pair_graph.h"

namespace lockstep {
namespace {

using test::capture_of, test::codes, test::small_graph, test::tensor;

TEST(Pair, codes_of_a_float_output_and_input_pair_with_the_codes_beside_them) {
  const auto p = pair_tensors(small_graph(), capture_of({{"in", codes}, {"out", codes}}));
  ASSERT_TRUE(p.ok());
  ASSERT_EQ(p->pairs.size(), 2u);
  EXPECT_EQ(p->pairs[0].reference, "/a/out");
  EXPECT_EQ(p->pairs[1].reference, "/c/out");
}

// "MCU int8 output: 25 15 -9 ..." typed into a text, of a model whose output is float.
TEST(Pair, codes_of_a_float_output_written_as_reals_are_codes_unless_they_could_be_its_reals) {
  const auto typed = pair_tensors(
      small_graph(), capture_of({{"out", tensor<float>({6}, {25, 15, -9, 35, -5, 5})}}));
  ASSERT_TRUE(typed.ok());
  EXPECT_EQ(typed->pairs[0].reference, "/c/out");
  EXPECT_EQ(typed->samples[0].at("/c/out"),
            tensor<std::int8_t>({1, 2, 1, 3}, {25, 15, -9, 35, -5, 5}));
  for (const auto& reals :
       {tensor<float>({6}, {1, 2, 3, 4, 5, 6}), tensor<float>({6}, {25.5, 15, -9, 35, -5, 5}),
        tensor<float>({6}, {325, 15, -9, 35, -5, 5})}) {
    const auto kept = pair_tensors(small_graph(), capture_of({{"out", reals}}));
    ASSERT_TRUE(kept.ok());
    EXPECT_EQ(kept->pairs[0].reference, "out");
  }
}

TEST(Pair, codes_under_a_foreign_name_are_those_of_the_float_output) {
  const auto p = pair_tensors(small_graph(), capture_of({{"net_out", codes}}));
  ASSERT_TRUE(p.ok()) << p.error().line();
  EXPECT_EQ(p->pairs[0].reference, "/c/out");
}

TEST(Pair, dequantized_captures_become_codes_when_every_value_is_on_the_grid) {
  // scale 0.5, zero -1: 1.0 is code 1, 3.5 is code 6
  const auto p = pair_tensors(
      small_graph(),
      capture_of({{"/a/out", tensor<double>({1, 2, 1, 3}, {1, 1.5, 2, 2.5, 3, 3.5})}}));
  ASSERT_TRUE(p.ok());
  EXPECT_EQ(p->samples[0].at("/a/out"), codes);
  const auto off = pair_tensors(
      small_graph(),
      capture_of({{"/a/out", tensor<float>({1, 2, 1, 3}, {1, 1.7f, 2, 2.5f, 3, 3.5f})}}));
  EXPECT_EQ(off->samples[0].at("/a/out").dtype(), DType::f32);
}

// scale 0.5, zero -1: what the quantizer made of "in", dequantized again, recorded as "in".
TEST(Pair, dequantized_codes_under_the_floats_name_are_the_quantizers_codes) {
  const auto p = pair_tensors(
      small_graph(), capture_of({{"in", tensor<float>({1, 2, 1, 3}, {1, 1.5, 2, 2.5, 3, 3.5})}}));
  ASSERT_TRUE(p.ok());
  ASSERT_EQ(p->pairs.size(), 1u);
  EXPECT_EQ(p->pairs[0].reference, "/a/out");
  EXPECT_EQ(p->samples[0].at("/a/out"), codes);
}

// The quantizer's least code is zero: a Relu was folded into it, and the device recorded what it
// makes.
TEST(Pair, reals_behind_a_folded_relu_pair_with_the_codes) {
  const Graph graph =
      test::chain({test::pair_value("in", 0), test::pair_value("relu_out", 0),
                   test::pair_value("codes", 0.5, -128)},
                  {{"Neg", "Neg"}, {"QuantizeLinear", "QuantizeLinear"}}, "relu.onnx");
  const auto p = pair_tensors(
      graph, capture_of({{"relu_out", tensor<float>({1, 2, 1, 3}, {0, 0.3f, 0, 1.7f, 2.2f, 0})}}));
  ASSERT_TRUE(p.ok());
  EXPECT_EQ(p->pairs[0].reference, "codes");
  const auto unclamped = pair_tensors(
      graph, capture_of({{"relu_out", tensor<float>({1, 2, 1, 3}, {-1, 0.3f, 0, 1.7f, 2.2f, 0})}}));
  ASSERT_TRUE(unclamped.ok());
  EXPECT_EQ(unclamped->pairs[0].reference, "relu_out");
}

TEST(Pair, reals_off_the_grid_or_all_alike_or_beside_their_codes_stay_the_float) {
  const Tensor on = tensor<float>({1, 2, 1, 3}, {1, 1.5, 2, 2.5, 3, 3.5});
  for (const Capture& capture :
       {capture_of({{"in", tensor<float>({1, 2, 1, 3}, {1, 1.6f, 2, 2.5, 3, 3.5})}}),
        capture_of({{"in", tensor<float>({1, 2, 1, 3}, {1, 1, 1, 1, 1, 1})}}),
        capture_of({{"in", on}, {"/a/out", codes}})}) {
    const auto p = pair_tensors(small_graph(), capture);
    ASSERT_TRUE(p.ok());
    EXPECT_EQ(p->pairs[0].reference, "in");
  }
}

TEST(Pair, codes_written_as_wide_integers_or_floats_are_still_codes) {
  const auto wide = pair_tensors(
      small_graph(),
      capture_of({{"/a/out", tensor<std::int32_t>({1, 2, 1, 3}, {1, 2, 3, 4, 5, 6})}}));
  EXPECT_EQ(wide->samples[0].at("/a/out"), codes);
  // 100 is beyond the reals that scale 0.5 can say, so these are codes
  const auto floats = pair_tensors(
      small_graph(), capture_of({{"/a/out", tensor<float>({1, 2, 1, 3}, {100, 2, 3, 4, 5, 6})}}));
  EXPECT_EQ(floats->samples[0].at("/a/out").code(0), 100);
}

TEST(Pair, unsigned_codes_of_the_same_scale_move_by_their_zero_point) {
  const Capture device =
      capture_of({{"/a/out", tensor<std::uint8_t>({1, 2, 1, 3}, {129, 130, 131, 132, 133, 134})}},
                 {QuantParams{{0.5}, {127}, -1}});
  const auto p = pair_tensors(small_graph(), device);
  ASSERT_TRUE(p.ok());
  EXPECT_EQ(p->samples[0].at("/a/out"), codes);
}

}  // namespace
}  // namespace lockstep
