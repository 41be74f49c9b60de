// Where a difference dies, told apart by networks in which it can die in one way only.
#include "diagnose/sensitivity.h"

#include <gtest/gtest.h>

#include "support/nets.h"

namespace lockstep {
namespace {

struct Codes {
  std::string name;
  Shape shape;
  double scale;
  int zero;
};

ValueId add_codes(GraphBuilder& b, const Codes& c) {
  Value v;
  v.name = c.name;
  v.dtype = DType::i8;
  v.shape = c.shape;
  v.quant = {{c.scale}, {c.zero}, -1};
  return b.add_value(std::move(v));
}

// x codes -> op -> y codes.
Graph one(const std::string& op, const Codes& x, const Codes& y, Attrs attrs = {}) {
  GraphBuilder b("one.tflite", "tflite");
  const ValueId in = add_codes(b, x), out = add_codes(b, y);
  b.add_input(in);
  b.add_node({"n", op, std::move(attrs), {in}, {out}, {}});
  b.add_output(out);
  auto made = std::move(b).finish();
  EXPECT_TRUE(made.ok()) << made.error().line();
  return std::move(*made);
}

Sample sample(const Shape& shape, std::vector<std::int8_t> codes) {
  return {{"x", Tensor::of<std::int8_t>(shape, codes)}};
}

Sensitivity follow(const Graph& g, Sample a, Sample b, std::string_view arithmetic = "tflite-ref") {
  const Executor e = test::executor(g, arithmetic);
  auto made = sensitivity(e, {{std::move(a), std::move(b)}}, 400);
  EXPECT_TRUE(made.ok()) << (made.ok() ? "" : made.error().line());
  return std::move(*made);
}

Graph mean_of_eight() {
  Attrs attrs;
  attrs.set("layout", std::string("NHWC"));
  return one("GlobalAveragePool", {"x", {1, 8, 1, 1}, 0.5, 0}, {"y", {1, 1, 1, 1}, 0.5, 0}, attrs);
}

TEST(Sensitivity, a_mean_that_moves_less_than_half_a_step_is_a_dead_zone) {
  const Shape x{1, 8, 1, 1};
  const Sensitivity s = follow(mean_of_eight(), sample(x, {0, 0, 0, 0, 0, 0, 0, 0}),
                               sample(x, {1, 1, 1, 0, 0, 0, 0, 0}), "ort");
  ASSERT_EQ(s.rows.size(), 2u);
  EXPECT_EQ(s.rows[0].changed, 3);
  EXPECT_EQ(s.rows[0].codes_used, 2);
  const SensitivityRow& mean = s.rows[1];
  EXPECT_EQ(mean.dies_in, 1);
  EXPECT_EQ(mean.absorbed.below, 1);
  EXPECT_NEAR(mean.absorbed.most, 0.375, 1e-6);
  EXPECT_NE(mean.why.find("dead zone"), std::string::npos) << mean.why;
  EXPECT_NE(mean.why.find("mean of 8"), std::string::npos) << mean.why;
  EXPECT_EQ(s.reaching, 0);
  // One element must move by 4 or 5 steps (the tie rounds one way), all together by one.
  ASSERT_EQ(s.smallest.size(), 3u);
  EXPECT_TRUE(s.smallest[0].found);
  EXPECT_GE(std::abs(s.smallest[0].amount), 4);
  EXPECT_LE(std::abs(s.smallest[0].amount), 5);
  EXPECT_EQ(std::abs(s.smallest[1].amount), 1);
  EXPECT_GT(s.smallest[2].amount, 1);
  EXPECT_LE(s.smallest[2].amount, 2.0);
}

TEST(Sensitivity, a_change_below_a_clamp_is_named_so) {
  const Graph g = one("Relu", {"x", {2}, 0.5, 0}, {"y", {2}, 0.5, 0});
  const Sensitivity s = follow(g, sample({2}, {-20, 5}), sample({2}, {-40, 5}), "ort");
  EXPECT_EQ(s.rows[1].dies_in, 1);
  EXPECT_NE(s.rows[1].why.find("clamped"), std::string::npos) << s.rows[1].why;
}

TEST(Sensitivity, codes_beyond_the_greatest_are_saturated) {
  const Graph g = one("Requantize", {"x", {2}, 1.0, 0}, {"y", {2}, 0.25, 0});
  const Sensitivity s = follow(g, sample({2}, {60, 3}), sample({2}, {90, 3}));
  EXPECT_EQ(s.rows[1].dies_in, 1);
  EXPECT_EQ(s.rows[1].absorbed.high, 1);
  EXPECT_EQ(s.rows[1].absorbed.low, 0);
  EXPECT_NE(s.rows[1].why.find("saturated"), std::string::npos) << s.rows[1].why;
}

TEST(Sensitivity, a_difference_that_arrives_is_no_finding) {
  const Graph g = one("Requantize", {"x", {2}, 1.0, 0}, {"y", {2}, 1.0, 3});
  const Sensitivity s = follow(g, sample({2}, {6, 3}), sample({2}, {7, 3}));
  EXPECT_EQ(s.pairs, 1);
  EXPECT_EQ(s.reaching, 1);
  EXPECT_EQ(s.rows[1].max_lsb, 1);
  EXPECT_EQ(s.rows[1].dies_in, 0);
  EXPECT_EQ(std::abs(s.smallest[0].amount), 1);
  EXPECT_LT(s.smallest[2].amount, 1.0);
}

TEST(Sensitivity, equal_inputs_are_not_a_pair) {
  const Graph g = one("Relu", {"x", {2}, 0.5, 0}, {"y", {2}, 0.5, 0});
  const Sensitivity s = follow(g, sample({2}, {1, 2}), sample({2}, {1, 2}), "ort");
  EXPECT_EQ(s.pairs, 0);
}

TEST(Sensitivity, a_saturated_softmax_says_how_far_its_logit_is_from_the_next_code) {
  // A gap of 40 steps of 0.25: e^-10 of 1 is far below 1/512, so the codes are 127 and -128. The
  // lead must fall until e^-gap reaches 1/512 of the whole: a gap of ln 511 = 6.24, 24 steps, after
  // 16 down.
  const Graph g = one("Softmax", {"x", {1, 2}, 0.25, 0}, {"y", {1, 2}, 1.0 / 256, -128});
  const Sensitivity s = follow(g, sample({1, 2}, {40, 0}), sample({1, 2}, {41, 0}));
  ASSERT_EQ(s.softmax.size(), 1u);
  EXPECT_EQ(s.softmax[0].gap, 40);
  EXPECT_EQ(s.softmax[0].codes, (std::vector<std::int64_t>{127, -128}));
  EXPECT_EQ(s.softmax[0].up, 0);
  EXPECT_EQ(s.softmax[0].room, 87);
  EXPECT_GE(s.softmax[0].down, 15);
  EXPECT_LE(s.softmax[0].down, 17);
}

TEST(Sensitivity, a_fused_relu_takes_what_it_cuts_off) {
  // It was said that the exact result does not move: the Relu was part of what was taken for exact.
  GraphBuilder b("one.tflite", "tflite");
  const ValueId in = add_codes(b, {"x", {2}, 0.5, 0}), out = add_codes(b, {"y", {2}, 1.0, -128});
  Attrs attrs;
  attrs.set("activation", std::string("relu"));
  b.add_input(in);
  b.add_node({"n", "Add", std::move(attrs), {in, in}, {out}, {}});
  b.add_output(out);
  auto made = std::move(b).finish();
  ASSERT_TRUE(made.ok()) << made.error().line();
  const Sensitivity s = follow(*made, sample({2}, {-20, -3}), sample({2}, {-30, -3}));
  EXPECT_EQ(s.rows[1].dies_in, 1);
  EXPECT_EQ(s.rows[1].absorbed.low, 1);
  EXPECT_NE(s.rows[1].why.find("least code"), std::string::npos) << s.rows[1].why;
}

TEST(Sensitivity, a_softmax_far_from_any_other_code_is_saturated) {
  // e^-25 of 256 steps: too little to count as a move, and the reason was missing.
  const Graph g = one("Softmax", {"x", {1, 2}, 0.25, 0}, {"y", {1, 2}, 1.0 / 256, -128});
  const Sensitivity s = follow(g, sample({1, 2}, {120, 0}), sample({1, 2}, {100, 0}));
  EXPECT_EQ(s.rows[1].dies_in, 1);
  EXPECT_NE(s.rows[1].why.find("move by at most"), std::string::npos) << s.rows[1].why;
  EXPECT_NE(s.rows[1].why.find("saturated"), std::string::npos) << s.rows[1].why;
}

TEST(Sensitivity, a_softmax_that_only_rounds_is_not_called_saturated) {
  // Its codes are 126 and -126, two steps from either end.
  const Graph g = one("Softmax", {"x", {1, 2}, 0.02, 0}, {"y", {1, 2}, 1.0 / 256, -128});
  const Sensitivity s = follow(g, sample({1, 2}, {127, -128}), sample({1, 2}, {126, -128}));
  ASSERT_EQ(s.softmax.size(), 1u);
  EXPECT_EQ(s.softmax[0].codes, (std::vector<std::int64_t>{126, -126}));
  EXPECT_EQ(s.rows[1].dies_in, 1);
  EXPECT_NE(s.rows[1].why.find("dead zone"), std::string::npos) << s.rows[1].why;
  EXPECT_EQ(s.rows[1].why.find("saturated"), std::string::npos) << s.rows[1].why;
}

TEST(Sensitivity, is_searched_from_a_pair_whose_difference_dies) {
  const Graph g = one("Requantize", {"x", {2}, 1.0, 0}, {"y", {2}, 8.0, 0});
  const Executor e = test::executor(g, "tflite-ref");
  const auto made = sensitivity(e,
                                {{sample({2}, {0, 0}), sample({2}, {0, 0})},
                                 {sample({2}, {0, 0}), sample({2}, {80, 0})},
                                 {sample({2}, {16, 0}), sample({2}, {17, 0})}},
                                400);
  ASSERT_TRUE(made.ok());
  EXPECT_EQ(made->pairs, 2);
  EXPECT_EQ(made->reaching, 1);
  EXPECT_EQ(made->base, 3);
  ASSERT_EQ(made->smallest.size(), 3u);
  EXPECT_GT(made->smallest[2].amount, 1) << "their difference is that of the pair that dies";
}

}  // namespace
}  // namespace lockstep
