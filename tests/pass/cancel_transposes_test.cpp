#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "arith/arith.h"
#include "pass/pass.h"
#include "pass/qdq.h"
#include "pass/transposes.h"

namespace lockstep {
namespace {

const Perm to_last{0, 2, 3, 1}, to_first{0, 3, 1, 2};

// Convolutions of one channel to one between quantizers, and Transposes around what lies between.
class Sketch {
 public:
  Sketch() : b_("sketch", "onnx") {
    zero_ = constant("zero", Tensor::scalar(std::int8_t{-128}));
    x = value("x", DType::f32, {1, 2, 3, 4});
    b_.add_input(x);
  }
  ValueId constant(const std::string& name, Tensor t) {
    Value v;
    v.name = name;
    v.dtype = t.dtype();
    v.shape = t.shape();
    v.constant = std::make_shared<const Tensor>(std::move(t));
    return b_.add_value(std::move(v));
  }
  ValueId add(const std::string& op, const std::string& name, std::vector<ValueId> in, DType dtype,
              Shape shape) {
    Node n;
    n.op = op;
    n.name = name;
    n.inputs = std::move(in);
    n.outputs = {value(name + ":0", dtype, std::move(shape))};
    const ValueId y = n.outputs[0];
    b_.add_node(std::move(n));
    return y;
  }
  Shape shape(ValueId v) { return b_.value(v).shape; }
  ValueId pair(ValueId from, const std::string& name, float scale) {
    const ValueId s = constant(name + "/scale", Tensor::scalar(scale));
    const ValueId codes =
        add("QuantizeLinear", name + "/q", {from, s, zero_}, DType::i8, shape(from));
    b_.value(codes).quant = {{double{scale}}, {-128}, -1};
    return add("DequantizeLinear", name + "/dq", {codes, s, zero_}, DType::f32, shape(from));
  }
  ValueId transpose(ValueId from, const std::string& name, const Perm& perm) {
    Shape to;
    for (const std::int64_t axis : perm) to.push_back(shape(from)[static_cast<std::size_t>(axis)]);
    const ValueId y = add("Transpose", name, {from}, DType::f32, to);
    b_.node(b_.value(y).producer).attrs.set("perm", perm);
    return y;
  }
  ValueId mean(ValueId from, const std::string& name, const std::vector<std::int64_t>& axes,
               const Shape& to) {
    const ValueId y = add("ReduceMean", name, {from}, DType::f32, to);
    Node& n = b_.node(b_.value(y).producer);
    n.attrs.set("axes", axes);
    n.attrs.set("keepdims", std::int64_t{0});
    return y;
  }
  ValueId conv(ValueId from, const std::string& name) {
    const ValueId w = constant(
        name + "/w", Tensor::of<std::int8_t>({2, 2, 1, 1}, std::vector<std::int8_t>{3, 1, -2, 5}));
    const ValueId s = constant(name + "/ws", Tensor::scalar(0.02f));
    const ValueId z = constant(name + "/wz", Tensor::scalar(std::int8_t{0}));
    b_.value(w).quant = {{double{0.02f}}, {0}, -1};
    const ValueId reals =
        add("DequantizeLinear", name + "/w_dq", {w, s, z}, DType::f32, {2, 2, 1, 1});
    return add("Conv", name, {from, reals}, DType::f32, shape(from));
  }
  Graph finish(ValueId y) {
    b_.add_output(y);
    auto g = std::move(b_).finish();
    EXPECT_TRUE(g.ok()) << (g.ok() ? "" : g.error().line());
    return std::move(g).value();
  }

  ValueId x;

 private:
  ValueId value(const std::string& name, DType dtype, Shape shape) {
    Value v;
    v.name = name;
    v.dtype = dtype;
    v.shape = std::move(shape);
    return b_.add_value(std::move(v));
  }
  GraphBuilder b_;
  ValueId zero_;
};

Graph lowered(const Graph& g, std::vector<std::string_view> without = {}) {
  auto next = apply_passes(g, find_arithmetic("ort")->passes, without);
  EXPECT_TRUE(next.ok()) << (next.ok() ? "" : next.error().line());
  return std::move(next).value();
}

std::map<std::string, int> operators(const Graph& g) {
  std::map<std::string, int> count;
  for (const Node& n : g.nodes()) ++count[n.op];
  return count;
}

// conv, to channels last, a quantizer of another scale, and back to a conv: a file as tf2onnx and
// quantize_static write it.
Graph two_convolutions(float middle) {
  Sketch s;
  const ValueId a = s.pair(s.conv(s.pair(s.x, "x", 0.1f), "first"), "a", 0.2f);
  const ValueId t = s.pair(s.transpose(a, "last", to_last), "t", middle);
  const ValueId u = s.pair(s.transpose(t, "first again", to_first), "u", middle);
  return s.finish(s.pair(s.conv(u, "second"), "y", 0.4f));
}

double scale_of_first(const Graph& g) {
  const Node& n = g.node(g.find_node("first"));
  return g.value(n.outputs[0]).quant.quantized() ? g.value(n.outputs[0]).quant.scale[0] : 0;
}

TEST(CancelTransposes, pairs_that_meet_past_a_quantizer_join_its_scale_with_the_one_before) {
  const Graph g = two_convolutions(0.3f);
  EXPECT_NEAR(scale_of_first(lowered(g, {"cancel-transposes"})), 0.2, 1e-6);
  const Graph joined = lowered(g);
  EXPECT_NEAR(scale_of_first(joined), 0.2, 1e-6);  // both hold 0 to 51
  const Graph narrow = lowered(two_convolutions(0.15f));
  EXPECT_NEAR(scale_of_first(narrow), 0.15, 1e-6);
  const Node& second = narrow.node(narrow.find_node("second"));
  EXPECT_NEAR(narrow.value(second.inputs[0]).quant.scale[0], 0.15, 1e-6);
}

// The quantizer behind goes back before the one in front goes on, so that the two meet where both
// orders become one.
TEST(CancelTransposes, two_orders_before_a_quantizer_join_its_scale_with_the_one_before_them) {
  Sketch s;
  const ValueId a = s.transpose(s.pair(s.x, "x", 0.2f), "a", to_last);
  const ValueId y = s.pair(s.transpose(a, "b", to_last), "y", 0.1f);
  const Graph g = lowered(s.finish(s.add("Sigmoid", "sigmoid", {y}, DType::f32, s.shape(y))));
  const Node& first = g.node(g.find_node("x/q"));
  EXPECT_NEAR(g.value(first.outputs[0]).quant.scale[0], 0.1, 1e-6);
}

// onnxruntime has one order alone turned into the axes of a mean, whose sum then goes otherwise.
TEST(CancelTransposes, a_single_order_before_a_mean_becomes_its_axes) {
  Sketch s;
  const ValueId t = s.transpose(
      s.add("Relu", "relu", {s.pair(s.x, "x", 0.1f)}, DType::f32, {1, 2, 3, 4}), "last", to_last);
  const Graph g = s.finish(s.mean(t, "mean", {0, 3}, {3, 4}));
  const Graph turned = lowered(g);
  EXPECT_EQ(turned.node(turned.find_node("mean")).attrs.integers("axes"),
            (std::vector<std::int64_t>{0, 1}));
}

TEST(CancelTransposes, leaves_a_graph_whose_operators_would_stay_what_they_are) {
  Sketch s;
  const ValueId a = s.pair(s.conv(s.pair(s.x, "x", 0.1f), "first"), "a", 0.2f);
  const ValueId t =
      s.add("Relu", "relu", {s.transpose(a, "last", to_last)}, DType::f32, {1, 3, 4, 2});
  const Graph g = s.finish(s.transpose(t, "first again", to_first));
  const auto patch = cancel_transposes(g);
  ASSERT_TRUE(patch.ok());
  EXPECT_TRUE(patch.value().empty());
}

TEST(CarryTransposes, push_an_order_past_an_add_with_a_constant_of_channels) {
  Sketch s;
  const ValueId bias = s.constant("bias", Tensor::of<float>({2}, std::vector<float>{1, 2}));
  const ValueId t =
      s.add("Add", "add", {s.transpose(s.x, "last", to_last), bias}, DType::f32, {1, 3, 4, 2});
  const Graph g =
      s.finish(s.add("Relu", "relu", {s.transpose(t, "back", to_first)}, DType::f32, {1, 2, 3, 4}));
  Draft draft(g);
  ASSERT_TRUE(carry_transposes(draft));
  const auto next = draft.finish();
  ASSERT_TRUE(next.ok()) << next.error().line();
  EXPECT_EQ(operators(next.value()), (std::map<std::string, int>{{"Add", 1}, {"Relu", 1}}));
  const Node& add = next.value().node(next.value().find_node("add"));
  EXPECT_EQ(next.value().value(add.inputs[1]).shape, (Shape{1, 2, 1, 1}));
  EXPECT_EQ(next.value().value(add.outputs[0]).shape, (Shape{1, 2, 3, 4}));
  // What the file calls the first order's result is x in that order.
  const auto first = std::ranges::find_if(
      draft.shown, [](const Shown& shown) { return shown.value.name == "last:0"; });
  ASSERT_NE(first, draft.shown.end());
  EXPECT_EQ(first->source, s.x);
  EXPECT_EQ(first->perm, to_last);
}

TEST(CarryTransposes, stop_before_an_operator_with_no_order_behind_it) {
  Sketch s;
  const ValueId t = s.transpose(s.x, "last", to_last);
  const Graph g = s.finish(s.add("Relu", "relu", {t}, DType::f32, {1, 3, 4, 2}));
  Draft draft(g);
  EXPECT_FALSE(carry_transposes(draft));
}

TEST(CarryTransposes, two_in_a_row_become_one) {
  Sketch s;
  const ValueId t = s.transpose(s.transpose(s.x, "a", to_last), "b", to_last);
  const Graph g = s.finish(s.add("Relu", "relu", {t}, DType::f32, {1, 4, 2, 3}));
  Draft draft(g);
  ASSERT_TRUE(carry_transposes(draft));
  const Graph next = draft.finish().value();
  EXPECT_EQ(operators(next), (std::map<std::string, int>{{"Relu", 1}, {"Transpose", 1}}));
  EXPECT_EQ(*stated_perm(next.node(next.find_node("b"))), to_first);
}

TEST(CarryTransposes, a_dequantizer_whose_only_reader_quantizes_alike_goes) {
  Sketch s;
  const ValueId a = s.pair(s.x, "a", 0.2f);
  const Graph g = s.finish(s.pair(a, "b", 0.2f));
  Draft draft(g);
  ASSERT_TRUE(mend_quantizers(draft));
  EXPECT_EQ(operators(draft.finish().value()),
            (std::map<std::string, int>{{"DequantizeLinear", 1}, {"QuantizeLinear", 1}}));
}

}  // namespace
}  // namespace lockstep
