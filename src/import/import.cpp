#include "import/import.h"

#include <algorithm>
#include <cstring>

#include "base/files.h"
#include "base/text.h"
#include "op/op.h"

namespace lockstep {
namespace {

bool foldable(const GraphBuilder& graph, const Node& node) {
  if (node.op == "QuantizeLinear" || node.op == "DequantizeLinear") return false;
  const bool of_shapes = find_op(node.op)->of_shapes;
  for (const ValueId v :
       node.inputs)  // what is computed from codes is for an arithmetic to compute
    if (v != no_id && !of_shapes &&
        (!graph.so_far().value(v).constant || graph.so_far().value(v).quant.quantized()))
      return false;
  for (const ValueId v : node.outputs)
    if (v != no_id && graph.so_far().value(v).quant.quantized()) return false;
  return true;
}

// The facts a rule yields, against what the file declared (TFLite) or as the declaration (ONNX).
Result<void> settle_facts(GraphBuilder& graph, const NodeView& n, const std::vector<Facts>& facts) {
  for (std::size_t i = 0; i < n.node.outputs.size() && i < facts.size(); ++i) {
    if (n.node.outputs[i] == no_id) continue;
    LOCKSTEP_CHECK(checked_size(facts[i].shape, size_of(facts[i].dtype), n.where()));
    Value& v = graph.value(n.node.outputs[i]);
    const bool declared = graph.so_far().format() == "tflite" && v.dtype == facts[i].dtype;
    if (declared && !v.shape.empty() && v.shape != facts[i].shape &&
        !std::ranges::count(v.shape, -1))
      return Error{n.where(), "output '" + v.name + "' is declared " + shape_text(v.shape),
                   shape_text(facts[i].shape) + " by the operator's shape rule", ""};
    v.dtype = facts[i].dtype;
    v.shape = facts[i].shape;
    if (facts[i].quant.quantized() && !v.quant.quantized()) v.quant = facts[i].quant;
  }
  return {};
}

Result<void> fold(GraphBuilder& graph, const NodeView& n, const OpDef& op) {
  static constexpr Numerics exact{};
  std::vector<const Tensor*> in;
  for (std::size_t i = 0; i < n.input_count(); ++i) in.push_back(n.constant(i));
  std::vector<Tensor> out;
  for (const ValueId v : n.node.outputs)
    out.push_back(v == no_id ? Tensor() : Tensor(graph.value(v).dtype, graph.value(v).shape));
  EvalContext context{n, exact, in, out};
  LOCKSTEP_CHECK(op.eval(context));
  for (std::size_t i = 0; i < out.size(); ++i) {
    if (n.node.outputs[i] == no_id) continue;
    Value& v = graph.value(n.node.outputs[i]);
    v.constant = std::make_shared<const Tensor>(std::move(out[i]));
    v.folded = true;
  }
  return {};
}

}  // namespace

Result<void> checked_size(const Shape& shape, std::size_t element_bytes, const std::string& where) {
  constexpr std::int64_t limit = std::int64_t{1} << 29;
  LOCKSTEP_TRY(const std::int64_t count, checked_count(shape, where));
  if (count > limit / static_cast<std::int64_t>(element_bytes))
    return Error{
        where,
        "a tensor " + shape_text(shape) + " of " + std::to_string(element_bytes) + "-byte elements",
        "at most 512 MiB", ""};
  return {};
}

Result<void> map_foreign(const ForeignNode& foreign, const ForeignMatch& match,
                         GraphBuilder& graph) {
  if (match.foreign->map) {
    // Mappings take the first operand and result for given.
    const auto slots = match.op->inputs;
    const bool reads = !slots.empty() && slots[0].kind == Slot::required;
    if (reads && (foreign.inputs.empty() || foreign.inputs[0] == no_id))
      return Error{foreign.where, "no first input", "input '" + std::string(slots[0].name) + "'",
                   ""};
    if (foreign.outputs.empty() || foreign.outputs[0] == no_id)
      return Error{foreign.where, "no first output", "a name for what it computes", ""};
    return match.foreign->map(foreign, graph);
  }
  for (const auto& [name, value] : foreign.attrs.values)
    if (std::ranges::find(match.op->attrs, name, &AttrSpec::name) == match.op->attrs.end())
      return Error{foreign.where, "attribute '" + name + "'",
                   "an attribute that " + foreign.op + " is known to have",
                   "a newer definition of the operator would change the numbers"};
  Node node;
  node.name = graph.unique_node_name(foreign.name);
  node.op = match.op->name;
  node.attrs = foreign.attrs;
  node.inputs = foreign.inputs;
  node.outputs = foreign.outputs;
  node.origin = {graph.so_far().file(), foreign.name, foreign.name, ""};
  graph.add_node(std::move(node));
  return {};
}

Result<void> settle_nodes(GraphBuilder& graph, NodeId first) {
  for (NodeId id = first; static_cast<std::size_t>(id) < graph.so_far().nodes().size(); ++id) {
    const Node node = graph.node(id);
    const NodeView view{graph.so_far(), node};
    LOCKSTEP_CHECK(check_node(view));
    const OpDef* op = find_op(node.op);
    LOCKSTEP_TRY(const std::vector<Facts> facts, op->infer(view));
    LOCKSTEP_CHECK(settle_facts(graph, view, facts));
    if (foldable(graph, node)) LOCKSTEP_CHECK(fold(graph, view, *op));
  }
  return {};
}

Result<Graph> import_model(const std::string& path, const ImportOptions& options) {
  LOCKSTEP_TRY(const Bytes bytes, read_file(path));
  const auto is = [&](std::size_t at, std::string_view magic) {
    return bytes.size() >= at + magic.size() &&
           std::memcmp(bytes.data() + at, magic.data(), magic.size()) == 0;
  };
  if (is(4, "TFL3")) return import_tflite(path, options);
  if (is(0, "PK\x03\x04") || is(0, "\x89HDF"))
    return Error{path, "a Keras or other archive", "an .onnx or .tflite model",
                 "convert it with tf.lite.TFLiteConverter or tf2onnx; .keras is read once Lockstep "
                 "quantizes"};
  return import_onnx(path, options);
}

}  // namespace lockstep
