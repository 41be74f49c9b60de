#include <gtest/gtest.h>

#include "diff/pair_graph.h"

namespace lockstep {
namespace {

using test::capture_of, test::codes, test::small_graph, test::tensor;

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

TEST(Pair, notes_of_one_kind_are_folded) {
  EXPECT_EQ(folded_notes({"'a' is read as input 1, 'x'", "the firmware is old",
                          "'b' is read as input 2, 'y'", "the firmware is old"}),
            (std::vector<std::string>{"'a' is read as input 1, 'x', and 1 more alike",
                                      "the firmware is old, and 1 more alike"}));
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
