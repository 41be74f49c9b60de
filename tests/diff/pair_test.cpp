#include "diff/pair.h"

#include <gtest/gtest.h>

namespace lockstep {
namespace {

template <class T>
Tensor tensor(Shape shape, std::vector<T> elements) {
  return Tensor::of<T>(std::move(shape), std::span<const T>(elements));
}

// in (float) -> QuantizeLinear -> a -> Relu -> b -> Relu -> c -> DequantizeLinear -> out (float);
// a, b, c int8 [1,2,1,3]; b and c share scale 0.1, a has 0.5.
Graph small_graph() {
  GraphBuilder g("m.onnx", "onnx");
  const auto value = [&](const char* name, DType dtype, double scale) {
    Value v;
    v.name = v.origin.name = name;
    v.dtype = dtype;
    v.shape = {1, 2, 1, 3};
    if (scale > 0) v.quant = {{scale}, {-1}, -1};
    return g.add_value(v);
  };
  const ValueId in = value("in", DType::f32, 0), a = value("/a/out", DType::i8, 0.5),
                b = value("/b/out_QuantizeLinear_Output", DType::i8, 0.1),
                c = value("/c/out", DType::i8, 0.1), out = value("out", DType::f32, 0);
  const auto node = [&](const char* name, const char* op, ValueId from, ValueId to) {
    Node n;
    n.name = name;
    n.op = op;
    n.inputs = {from};
    n.outputs = {to};
    g.add_node(n);
  };
  node("q", "QuantizeLinear", in, a);
  node("b", "Relu", a, b);
  node("c", "Relu", b, c);
  node("dq", "DequantizeLinear", c, out);
  g.add_input(in);
  g.add_output(out);
  return std::move(std::move(g).finish()).value();
}

Capture capture_of(std::vector<std::pair<std::string, Tensor>> tensors,
                   std::vector<QuantParams> quants = {}) {
  Capture capture;
  capture.source = "device.npz";
  capture.samples.resize(1);
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    auto& [name, t] = tensors[i];
    TensorInfo info{t.dtype(), t.shape(), i < quants.size() ? quants[i] : QuantParams{}, {}};
    capture.infos.emplace(name, info);
    capture.order.push_back(name);
    capture.samples[0].emplace(name, std::move(t));
  }
  return capture;
}

const Tensor codes = tensor<std::int8_t>({1, 2, 1, 3}, {1, 2, 3, 4, 5, 6});

TEST(Pair, equal_names_are_the_same_tensor) {
  const auto p = pair_tensors(small_graph(), capture_of({{"/a/out", codes}, {"/c/out", codes}}));
  ASSERT_TRUE(p.ok()) << p.error().line();
  ASSERT_EQ(p->pairs.size(), 2u);
  EXPECT_EQ(p->pairs[0].how, "name");
  EXPECT_EQ(p->pairs[0].note, "");
  EXPECT_EQ(p->samples[0].at("/a/out"), codes);
  EXPECT_EQ(p->left_reference,
            (std::vector<std::string>{"in", "/b/out_QuantizeLinear_Output", "out"}));
}

TEST(Pair, names_that_lost_punctuation_or_a_quantizers_suffix_pair_by_origin) {
  const auto p = pair_tensors(small_graph(), capture_of({{"_b_out", codes}}));
  ASSERT_TRUE(p.ok()) << p.error().line();
  ASSERT_EQ(p->pairs.size(), 1u);
  EXPECT_EQ(p->pairs[0].how, "origin");
  EXPECT_EQ(p->pairs[0].reference, "/b/out_QuantizeLinear_Output");
}

TEST(Pair, a_tensor_of_the_file_that_was_fused_away_is_not_what_its_node_makes_now) {
  Capture capture = capture_of({{"/a/out", codes}, {"/c/sum_before_the_bias", codes}});
  capture.infos.at("/c/sum_before_the_bias").origin = {"m.onnx", "/c/sum_before_the_bias", "c", ""};
  const auto p = pair_tensors(small_graph(), capture);
  ASSERT_TRUE(p.ok()) << p.error().line();
  EXPECT_EQ(p->pairs.size(), 1u);
  EXPECT_EQ(p->left_device, (std::vector<std::string>{"/c/sum_before_the_bias"}));
}

TEST(Pair, a_node_name_is_an_origin_too) {
  Capture capture = capture_of({{"buffer_7", codes}});
  capture.infos.at("buffer_7").origin.node = "c";
  const auto p = pair_tensors(small_graph(), capture);
  ASSERT_TRUE(p.ok()) << p.error().line();
  EXPECT_EQ(p->pairs[0].reference, "/c/out");
}

TEST(Pair, padded_rank_is_squeezed) {
  const auto p = pair_tensors(small_graph(), capture_of({{"/a/out", codes.reshaped({2, 3})}}));
  ASSERT_TRUE(p.ok());
  EXPECT_EQ(p->samples[0].at("/a/out"), codes);
  EXPECT_NE(p->pairs[0].note.find("without its axes of 1"), std::string::npos);
}

TEST(Pair, channel_last_captures_are_transposed) {
  const Tensor nhwc = tensor<std::int8_t>({1, 1, 3, 2}, {1, 4, 2, 5, 3, 6});
  const auto p = pair_tensors(small_graph(), capture_of({{"/a/out", nhwc}}));
  ASSERT_TRUE(p.ok());
  EXPECT_EQ(p->samples[0].at("/a/out"), codes);
  EXPECT_NE(p->pairs[0].note.find("transposed"), std::string::npos);
}

TEST(Pair, a_flat_dump_with_a_stated_layout_is_transposed) {
  Capture capture = capture_of({{"/a/out", tensor<std::int8_t>({6}, {1, 4, 2, 5, 3, 6})}});
  capture.infos.at("/a/out").origin.layout = "NHWC";
  const auto p = pair_tensors(small_graph(), capture);
  ASSERT_TRUE(p.ok());
  EXPECT_EQ(p->samples[0].at("/a/out"), codes);
}

TEST(Pair, codes_of_a_float_output_and_input_pair_with_the_codes_beside_them) {
  const auto p = pair_tensors(small_graph(), capture_of({{"in", codes}, {"out", codes}}));
  ASSERT_TRUE(p.ok());
  ASSERT_EQ(p->pairs.size(), 2u);
  EXPECT_EQ(p->pairs[0].reference, "/a/out");
  EXPECT_EQ(p->pairs[1].reference, "/c/out");
}

// "MCU int8 output: 25 15 -9 ..." typed into a text, of a model whose output is float.
TEST(Pair, codes_of_a_float_output_written_as_reals_are_codes_unless_they_could_be_its_reals) {
  const auto typed = pair_tensors(small_graph(), capture_of({{"out", tensor<float>({6}, {25, 15, -9, 35, -5, 5})}}));
  ASSERT_TRUE(typed.ok());
  EXPECT_EQ(typed->pairs[0].reference, "/c/out");
  EXPECT_EQ(typed->samples[0].at("/c/out"), tensor<std::int8_t>({1, 2, 1, 3}, {25, 15, -9, 35, -5, 5}));
  for (const auto& reals : {tensor<float>({6}, {1, 2, 3, 4, 5, 6}), tensor<float>({6}, {25.5, 15, -9, 35, -5, 5}), tensor<float>({6}, {325, 15, -9, 35, -5, 5})}) {
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
  const auto p = pair_tensors(small_graph(), capture_of({{"in", tensor<float>({1, 2, 1, 3}, {1, 1.5, 2, 2.5, 3, 3.5})}}));
  ASSERT_TRUE(p.ok());
  ASSERT_EQ(p->pairs.size(), 1u);
  EXPECT_EQ(p->pairs[0].reference, "/a/out");
  EXPECT_EQ(p->samples[0].at("/a/out"), codes);
}

// The quantizer's least code is zero: a Relu was folded into it, and the device recorded what it makes.
TEST(Pair, reals_behind_a_folded_relu_pair_with_the_codes) {
  GraphBuilder b("relu.onnx", "onnx");
  const auto value = [&](const char* name, DType dtype) {
    Value v;
    v.name = v.origin.name = name;
    v.dtype = dtype;
    v.shape = {1, 2, 1, 3};
    if (dtype == DType::i8) v.quant = {{0.5}, {-128}, -1};
    return b.add_value(v);
  };
  const ValueId in = value("in", DType::f32), before = value("relu_out", DType::f32), coded = value("codes", DType::i8);
  for (const auto& [op, from, to] : {std::tuple{"Neg", in, before}, std::tuple{"QuantizeLinear", before, coded}}) {
    Node n;
    n.name = n.op = op;
    n.inputs = {from};
    n.outputs = {to};
    b.add_node(n);
  }
  b.add_input(in);
  b.add_output(coded);
  const Graph graph = std::move(std::move(b).finish()).value();
  const auto p = pair_tensors(graph, capture_of({{"relu_out", tensor<float>({1, 2, 1, 3}, {0, 0.3f, 0, 1.7f, 2.2f, 0})}}));
  ASSERT_TRUE(p.ok());
  EXPECT_EQ(p->pairs[0].reference, "codes");
  const auto unclamped = pair_tensors(graph, capture_of({{"relu_out", tensor<float>({1, 2, 1, 3}, {-1, 0.3f, 0, 1.7f, 2.2f, 0})}}));
  ASSERT_TRUE(unclamped.ok());
  EXPECT_EQ(unclamped->pairs[0].reference, "relu_out");
}

TEST(Pair, reals_off_the_grid_or_all_alike_or_beside_their_codes_stay_the_float) {
  const Tensor on = tensor<float>({1, 2, 1, 3}, {1, 1.5, 2, 2.5, 3, 3.5});
  for (const Capture& capture : {capture_of({{"in", tensor<float>({1, 2, 1, 3}, {1, 1.6f, 2, 2.5, 3, 3.5})}}),
                                 capture_of({{"in", tensor<float>({1, 2, 1, 3}, {1, 1, 1, 1, 1, 1})}}), capture_of({{"in", on}, {"/a/out", codes}})}) {
    const auto p = pair_tensors(small_graph(), capture);
    ASSERT_TRUE(p.ok());
    EXPECT_EQ(p->pairs[0].reference, "in");
  }
}

TEST(Pair, notes_of_one_kind_are_folded) {
  EXPECT_EQ(folded_notes({"'a' is read as input 1, 'x'", "the firmware is old", "'b' is read as input 2, 'y'", "the firmware is old"}),
            (std::vector<std::string>{"'a' is read as input 1, 'x', and 1 more alike", "the firmware is old, and 1 more alike"}));
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

TEST(Pair, lost_names_pair_by_scale_shape_and_order) {
  const QuantParams tenth{{0.1}, {-1}, -1}, half{{0.5}, {-1}, -1};
  const Tensor other = tensor<std::int8_t>({1, 2, 1, 3}, {9, 9, 9, 9, 9, 9});
  const auto p =
      pair_tensors(small_graph(),
                   capture_of({{"t1", codes}, {"t2", other}, {"t3", codes}}, {half, tenth, tenth}));
  ASSERT_TRUE(p.ok()) << p.error().line();
  ASSERT_EQ(p->pairs.size(), 3u);
  EXPECT_EQ(p->pairs[0].reference, "/a/out");
  EXPECT_EQ(p->pairs[0].device, "t1");
  EXPECT_EQ(p->pairs[1].device, "t2");
  EXPECT_EQ(p->pairs[2].reference, "/c/out");
  EXPECT_EQ(p->pairs[2].how, "scale, shape and order");
}

TEST(Pair, flat_dumps_without_names_pair_by_scale_and_size) {
  const auto p = pair_tensors(
      small_graph(), capture_of({{"buffer", codes.reshaped({6})}}, {QuantParams{{0.5}, {-1}, -1}}));
  ASSERT_TRUE(p.ok()) << p.error().line();
  EXPECT_EQ(p->pairs[0].reference, "/a/out");
  EXPECT_EQ(p->samples[0].at("/a/out"), codes);
}

TEST(Pair, notes_say_once_what_was_done_to_many) {
  const Tensor nhwc = tensor<std::int8_t>({1, 1, 3, 2}, {1, 4, 2, 5, 3, 6});
  const auto p =
      pair_tensors(small_graph(), capture_of({{"a_out", nhwc}, {"b_out", nhwc}, {"c_out", codes}}));
  ASSERT_TRUE(p.ok()) << p.error().line();
  const auto notes = pairing_notes(*p);
  ASSERT_EQ(notes.size(), 2u);
  EXPECT_EQ(notes[0], "'a_out' is '/a/out' (by origin), and 2 more alike");
  EXPECT_EQ(notes[1], "'a_out': [1,1,3,2] transposed to [1,2,1,3], and 1 more alike");
}

TEST(Pair, what_stays_ambiguous_is_left_out_and_said) {
  const QuantParams tenth{{0.1}, {-1}, -1}, half{{0.5}, {-1}, -1};
  const auto p =
      pair_tensors(small_graph(), capture_of({{"t1", codes}, {"t2", codes}}, {half, tenth}));
  ASSERT_TRUE(p.ok());
  EXPECT_EQ(p->pairs.size(), 1u);
  EXPECT_EQ(p->left_device, std::vector<std::string>{"t2"});
  ASSERT_FALSE(p->notes.empty());
  EXPECT_NE(p->notes.back().find("could be any of 2"), std::string::npos);
}

TEST(Pair, without_names_and_scales_shapes_must_place_every_tensor) {
  const Tensor reals = tensor<float>({1, 2, 1, 3}, {1, 2, 3, 4, 5, 6});
  const auto all = pair_tensors(small_graph(), capture_of({{"t0", reals}, {"t1", reals}}));
  ASSERT_TRUE(all.ok()) << all.error().line();
  EXPECT_EQ(all->pairs[1].reference, "out");
  EXPECT_EQ(all->pairs[1].how, "its size and order at the network's rim");
  EXPECT_FALSE(
      pair_tensors(small_graph(), capture_of({{"t0", reals},
                                              {"t1", reals},
                                              {"t2", tensor<float>({7}, std::vector<float>(7))}}))
          .ok());
}

TEST(Pair, one_equal_scale_does_not_make_captures_of_this_model) {
  const QuantParams half{{0.5}, {-1}, -1}, none{{0.7}, {3}, -1};
  std::vector<std::pair<std::string, Tensor>> tensors = {{"t0", codes}};
  std::vector<QuantParams> quants = {half};
  for (int i = 1; i < 5; ++i)
    tensors.emplace_back("t" + std::to_string(i), codes), quants.push_back(none);
  const auto p = pair_tensors(small_graph(), capture_of(tensors, quants));
  ASSERT_FALSE(p.ok());
  EXPECT_NE(p.error().what.find("1 of its 5 tensors"), std::string::npos);
}

TEST(Pair, captures_of_another_model_are_an_error) {
  const auto none =
      pair_tensors(small_graph(), capture_of({{"conv1", tensor<float>({5}, {1, 2, 3, 4, 5})}}));
  ASSERT_FALSE(none.ok());
  EXPECT_EQ(none.error().where, "device.npz");
  const auto size = pair_tensors(
      small_graph(), capture_of({{"/a/out", tensor<std::int8_t>({1, 4}, {1, 2, 3, 4})}}));
  ASSERT_FALSE(size.ok());
  EXPECT_NE(size.error().want.find("[1,2,1,3]"), std::string::npos);
}

}  // namespace
}  // namespace lockstep
