#include "op/op_qlinear.h"

#include <algorithm>

#include "op/op_codes.h"
#include "op/op_held.h"
#include "op/op_pool.h"

namespace lockstep {
namespace {

// One quantized tensor of a foreign node: its place, and the places of its scale and zero point.
struct Quantized {
  std::size_t tensor, scale, zero;
  int axis = -1;
};

// Writes scale and zero point onto input `q.tensor`. Errors: absent, not of codes, or already of
// others. Codes that were only moved since they were made had the same scale there.
void quantize_before(GraphBuilder& graph, ValueId value) {
  static constexpr std::string_view movers[] = {"Unsqueeze", "Squeeze",  "Reshape", "Transpose",
                                                "Flatten",   "Identity", "Slice"};
  const QuantParams quant = graph.value(value).quant;
  for (NodeId by = graph.value(value).producer; by != no_id && !quant.per_channel();
       by = graph.value(value).producer) {
    const Node& mover = graph.node(by);
    if (std::ranges::find(movers, mover.op) == std::end(movers) || mover.inputs.empty() ||
        mover.inputs[0] == no_id)
      return;
    value = mover.inputs[0];
    if (graph.value(value).quant.quantized() || !is_integer(graph.value(value).dtype)) return;
    graph.value(value).quant = quant;
  }
}

Result<void> quantize_input(const ForeignNode& f, GraphBuilder& graph, const Quantized& q) {
  if (!has_input(f, q.tensor) || !has_input(f, q.scale))
    return foreign_error(f, "no input " + std::to_string(q.tensor) + " or no scale for it", "both");
  const Value before = input_of(f, graph, q.tensor);
  if (!is_integer(before.dtype))
    return foreign_error(
        f, "input '" + before.name + "' of type " + std::string(name_of(before.dtype)), "codes");
  LOCKSTEP_CHECK(set_quant(f, graph, f.inputs[q.tensor], q.scale, q.zero, q.axis));
  if (before.quant.quantized() && !(before.quant == input_of(f, graph, q.tensor).quant))
    return foreign_error(f,
                         "input '" + before.name +
                             "' is read under another scale or zero point than it was made with",
                         "one scale and zero point for each tensor");
  quantize_before(graph, f.inputs[q.tensor]);
  return {};
}

// Writes scale and zero point of the output; its type is the zero point's, else the first input's.
Result<void> quantize_output(const ForeignNode& f, GraphBuilder& graph, std::size_t scale,
                             std::size_t zero, std::size_t like) {
  if (f.outputs.empty() || f.outputs[0] == no_id) return foreign_error(f, "no output", "one");
  LOCKSTEP_CHECK(set_quant(f, graph, f.outputs[0], scale, zero));
  graph.value(f.outputs[0]).dtype =
      has_input(f, zero) ? input_of(f, graph, zero).dtype : input_of(f, graph, like).dtype;
  return {};
}

Result<void> add_node(const ForeignNode& f, GraphBuilder& graph, std::string op,
                      std::vector<std::size_t> places, Attrs attrs) {
  Node node = node_from(f, std::move(op));
  node.attrs = std::move(attrs);
  node.inputs.clear();
  for (const std::size_t i : places) node.inputs.push_back(has_input(f, i) ? f.inputs[i] : no_id);
  while (!node.inputs.empty() && node.inputs.back() == no_id) node.inputs.pop_back();
  graph.add_node(std::move(node));
  return {};
}

Result<void> unary(const ForeignNode& f, GraphBuilder& graph, std::string op, Attrs attrs) {
  LOCKSTEP_CHECK(quantize_input(f, graph, {0, 1, 2}));
  LOCKSTEP_CHECK(quantize_output(f, graph, 3, 4, 0));
  return add_node(f, graph, std::move(op), {0}, std::move(attrs));
}

Result<void> binary(const ForeignNode& f, GraphBuilder& graph, std::string op) {
  LOCKSTEP_CHECK(quantize_input(f, graph, {0, 1, 2}));
  LOCKSTEP_CHECK(quantize_input(f, graph, {3, 4, 5}));
  LOCKSTEP_CHECK(quantize_output(f, graph, 6, 7, 0));
  return add_node(f, graph, std::move(op), {0, 3}, {});
}

// channels_last of the pooling operators, as this graph's layout.
Attrs with_layout(const ForeignNode& f) {
  Attrs attrs = f.attrs;
  attrs.values.erase("channels_last");
  if (f.attrs.integer("channels_last", 0) != 0) attrs.set("layout", std::string("NHWC"));
  return attrs;
}

}  // namespace

Result<void> from_qlinear_conv(const ForeignNode& f, GraphBuilder& graph) {
  LOCKSTEP_CHECK(
      known_attributes(f, {"auto_pad", "dilations", "group", "kernel_shape", "pads", "strides"}));
  LOCKSTEP_CHECK(quantize_input(f, graph, {0, 1, 2}));
  LOCKSTEP_CHECK(quantize_input(f, graph, {3, 4, 5, 0}));
  LOCKSTEP_CHECK(quantize_output(f, graph, 6, 7, 0));
  Attrs attrs = f.attrs;
  attrs.values.erase("kernel_shape");
  return add_node(f, graph, "Conv", {0, 3, 8}, std::move(attrs));
}

Result<void> from_qlinear_matmul(const ForeignNode& f, GraphBuilder& graph) {
  if (!has_input(f, 0) || !has_input(f, 3)) return foreign_error(f, "no a or no b", "both");
  const auto rank = static_cast<int>(input_of(f, graph, 3).shape.size());
  LOCKSTEP_CHECK(quantize_input(f, graph, {0, 1, 2}));
  LOCKSTEP_CHECK(quantize_input(f, graph, {3, 4, 5, rank - 1}));
  LOCKSTEP_CHECK(quantize_output(f, graph, 6, 7, 0));
  if (rank != 2 || input_of(f, graph, 0).shape.size() < 2)
    return add_node(f, graph, "MatMul", {0, 3}, {});
  Attrs attrs;
  attrs.set("flatten", std::int64_t{1});
  attrs.set("keep_dims", std::int64_t{1});
  return add_node(f, graph, "Gemm", {0, 3}, std::move(attrs));
}

Result<void> from_qgemm(const ForeignNode& f, GraphBuilder& graph) {
  LOCKSTEP_CHECK(known_attributes(f, {"alpha", "transA", "transB"}));
  LOCKSTEP_CHECK(quantize_input(f, graph, {0, 1, 2}));
  LOCKSTEP_CHECK(quantize_input(f, graph, {3, 4, 5, f.attrs.integer("transB", 0) != 0 ? 0 : 1}));
  if (!has_input(f, 7)) return foreign_error(f, "no output scale", "codes as the result");
  LOCKSTEP_CHECK(quantize_output(f, graph, 7, 8, 0));
  return add_node(f, graph, "Gemm", {0, 3, 6}, f.attrs);
}

Result<void> from_qlinear_add(const ForeignNode& f, GraphBuilder& graph) {
  return binary(f, graph, "Add");
}
Result<void> from_qlinear_mul(const ForeignNode& f, GraphBuilder& graph) {
  return binary(f, graph, "Mul");
}

Result<void> from_qlinear_softmax(const ForeignNode& f, GraphBuilder& graph) {
  LOCKSTEP_CHECK(known_attributes(f, {"axis", "opset"}));
  const bool old = f.attrs.integer("opset", 13) < 13;
  Attrs attrs;
  attrs.set("axis", f.attrs.integer("axis", old ? 1 : -1));
  if (old) attrs.set("flatten", std::int64_t{1});
  return unary(f, graph, "Softmax", std::move(attrs));
}

Result<void> from_qlinear_average_pool(const ForeignNode& f, GraphBuilder& graph) {
  LOCKSTEP_CHECK(known_attributes(f, {"auto_pad", "ceil_mode", "channels_last", "count_include_pad",
                                      "kernel_shape", "pads", "strides"}));
  LOCKSTEP_CHECK(pads_within_window(f));
  return unary(f, graph, "AveragePool", with_layout(f));
}

Result<void> from_qlinear_global_average_pool(const ForeignNode& f, GraphBuilder& graph) {
  LOCKSTEP_CHECK(known_attributes(f, {"channels_last"}));
  return unary(f, graph, "GlobalAveragePool", with_layout(f));
}

Result<void> from_qlinear_concat(const ForeignNode& f, GraphBuilder& graph) {
  LOCKSTEP_CHECK(known_attributes(f, {"axis"}));
  std::vector<std::size_t> places;
  for (std::size_t i = 2; i < f.inputs.size(); i += 3) {
    LOCKSTEP_CHECK(quantize_input(f, graph, {i, i + 1, i + 2}));
    places.push_back(i);
  }
  LOCKSTEP_CHECK(quantize_output(f, graph, 0, 1, 2));
  return add_node(f, graph, "Concat", std::move(places), f.attrs);
}

// Both operands as the output's codes (N27), then the choice.
Result<void> from_qlinear_where(const ForeignNode& f, GraphBuilder& graph) {
  LOCKSTEP_CHECK(quantize_output(f, graph, 7, 8, 1));
  if (!has_input(f, 0)) return foreign_error(f, "no condition", "one");
  Node choice = node_from(f, "Where");
  choice.inputs = {f.inputs[0]};
  for (const std::size_t i : {1, 4}) {
    LOCKSTEP_CHECK(quantize_input(f, graph, {i, i + 1, i + 2}));
    const ValueId as_output = add_inner(f, graph, i == 1 ? "x" : "z");
    graph.value(as_output).dtype = graph.value(f.outputs[0]).dtype;
    graph.value(as_output).quant = graph.value(f.outputs[0]).quant;
    Node change = node_like(f, graph, "Requantize");
    change.name = graph.unique_node_name(f.name + (i == 1 ? "/x" : "/z"));
    change.inputs = {f.inputs[i]};
    change.outputs = {as_output};
    graph.add_node(std::move(change));
    choice.inputs.push_back(as_output);
  }
  graph.add_node(std::move(choice));
  return {};
}

std::int32_t runtime_shift(const NodeView& n) {
  return held_shift(n, n.input(0));
}

bool saturates_in_pairs(const EvalContext& c) {
  if (!c.num.pairs_saturate || c.view.input(1).dtype != DType::i8) return false;
  return c.view.input(0).dtype == DType::u8 || runtime_shift(c.view) != 0;
}

}  // namespace lockstep
