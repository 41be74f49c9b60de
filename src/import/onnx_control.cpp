// Scan, Loop and If whose course is known at import, and functions of the file, written out node by
// node. What depends on data is refused by name.
#include <algorithm>

#include "import/onnx_reader.h"
#include "op/op.h"

namespace lockstep {
namespace {

constexpr std::int64_t most_steps = 4096;
constexpr std::int64_t most_nodes = 200'000;
constexpr int most_depth = 32;

std::int64_t integer_of(const onnx::NodeProto& node, std::string_view name, std::int64_t fallback) {
  const auto* a = find_attribute(node, name);
  return a && a->has_i() ? a->i() : fallback;
}

std::vector<std::int64_t> integers_of(const onnx::NodeProto& node, std::string_view name,
                                      std::size_t count) {
  std::vector<std::int64_t> list;
  if (const auto* a = find_attribute(node, name)) list.assign(a->ints().begin(), a->ints().end());
  list.resize(count, 0);
  return list;
}

// true or false of a constant scalar; nothing when it is computed from data.
std::optional<bool> truth_of(const Graph& graph, ValueId id) {
  const Tensor* t = id == no_id ? nullptr : graph.value(id).constant.get();
  if (!t || t->count() != 1) return std::nullopt;
  return t->code(0) != 0;
}

}  // namespace

Result<const onnx::GraphProto*> OnnxReader::graph_attribute(const onnx::NodeProto& node,
                                                            std::string_view name,
                                                            const OnnxScope& scope) const {
  const auto* a = find_attribute(node, name);
  if (!a || !a->has_g())
    return Error{where(node, scope), "no graph '" + std::string(name) + "'", "it is required", ""};
  return &a->g();
}

Result<ValueId> OnnxReader::add_op(const onnx::NodeProto& proto, const char* op,
                                   std::vector<ValueId> inputs, Attrs attrs,
                                   const std::string& output) {
  Value v;
  v.name = graph_.unique_name(output);
  v.shape = {0};
  v.origin.node = proto.name();
  Node node;
  node.name = graph_.unique_node_name(output + "/" + op);
  node.op = op;
  node.attrs = std::move(attrs);
  node.inputs = std::move(inputs);
  node.outputs = {graph_.add_value(std::move(v))};
  node.origin = {file_, proto.name(), proto.name(), ""};
  const ValueId id = node.outputs[0];
  LOCKSTEP_CHECK(settle_nodes(graph_, graph_.add_node(std::move(node))));
  if (++unrolled_ > most_nodes) return Error{file_, "more than 200000 unrolled nodes", "fewer", ""};
  return id;
}

// The outer name for a tensor that exists already: through Identity, so that both names are
// recorded.
Result<void> OnnxReader::bind(const onnx::NodeProto& node, const std::string& name, ValueId id,
                              OnnxScope& scope) {
  if (name.empty()) return {};
  const auto outward = scope.outward.find(name);
  const std::string full = outward == scope.outward.end() ? scope.prefix + name : outward->second;
  if (scope.names.contains(name))
    return Error{where(node, scope), "makes '" + name + "' a second time", "one maker per tensor",
                 ""};
  if (graph_.so_far().value(id).name != full) {
    LOCKSTEP_TRY(id, add_op(node, "Identity", {id}, {}, full));
  }
  scope.names[name] = id;
  return {};
}

Result<std::vector<ValueId>> OnnxReader::read_body(const onnx::GraphProto& body, OnnxScope& inner) {
  if (depth_ >= most_depth)
    return Error{file_, "graphs nested deeper than 32", "fewer", "a function that calls itself?"};
  unrolled_ += body.node_size();
  if (unrolled_ > most_nodes) return Error{file_, "more than 200000 unrolled nodes", "fewer", ""};
  ++depth_;
  LOCKSTEP_CHECK(read_initializers(body, inner));
  LOCKSTEP_CHECK(read_nodes(body.node(), inner));
  --depth_;
  std::vector<ValueId> outputs;
  for (const auto& output : body.output()) {
    outputs.push_back(inner.find(output.name()));
    if (outputs.back() == no_id)
      return Error{file_, "inner output '" + output.name() + "', which no node makes",
                   "an output of some node", ""};
  }
  return outputs;
}

// sequence[..., step, ...] without that axis.
Result<ValueId> OnnxReader::step_of(const onnx::NodeProto& node, ValueId sequence,
                                    std::int64_t axis, std::int64_t step,
                                    const std::string& prefix) {
  Attrs attrs;
  attrs.set("axis", axis);
  const std::string name = prefix + graph_.so_far().value(sequence).name;
  const ValueId index = add_constant(name + "/index", Tensor::scalar(step));
  return add_op(node, "Gather", {sequence, index}, attrs, name);
}

Result<void> OnnxReader::stack(const onnx::NodeProto& node, const std::string& name,
                               const std::vector<ValueId>& steps, std::int64_t axis,
                               OnnxScope& scope) {
  if (name.empty()) return {};
  if (steps.empty())
    return Error{where(node, scope), "output '" + name + "' of no steps", "one step at least", ""};
  Attrs at_axis, axes;
  at_axis.set("axis", axis);
  axes.set("axes", std::vector<std::int64_t>{axis});
  std::vector<ValueId> rows;
  for (const ValueId step : steps) {
    LOCKSTEP_TRY(const ValueId row, add_op(node, "Unsqueeze", {step}, axes,
                                           graph_.so_far().value(step).name + "/row"));
    rows.push_back(row);
  }
  LOCKSTEP_TRY(const ValueId all, add_op(node, "Concat", rows, at_axis, scope.prefix + name));
  return bind(node, name, all, scope);
}

Result<void> OnnxReader::unroll_scan(const onnx::NodeProto& node, OnnxScope& scope) {
  const std::string at = where(node, scope);
  if (opsets_.at("") < 9) return Error{at, "Scan of opset 8", "Scan of opset 9 or later", ""};
  LOCKSTEP_TRY(const onnx::GraphProto* const body, graph_attribute(node, "body", scope));
  LOCKSTEP_TRY(const std::vector<ValueId> inputs, inputs_of(node, scope));
  const std::int64_t scans = integer_of(node, "num_scan_inputs", 0);
  const auto count = static_cast<std::int64_t>(inputs.size());
  if (scans < 1 || scans > count || count != body->input_size() ||
      std::ranges::count(inputs, no_id))
    return Error{
        at, std::to_string(count) + " inputs of which " + std::to_string(scans) + " are scanned",
        std::to_string(body->input_size()) + " as its body has, at least one scanned", ""};
  const auto states = static_cast<std::size_t>(count - scans);
  const auto outputs = static_cast<std::size_t>(body->output_size());
  if (outputs < states || static_cast<std::size_t>(node.output_size()) > outputs)
    return Error{at, std::to_string(node.output_size()) + " outputs",
                 std::to_string(outputs) + " as its body has", ""};
  const auto axes = integers_of(node, "scan_input_axes", static_cast<std::size_t>(scans));
  const auto reversed = integers_of(node, "scan_input_directions", static_cast<std::size_t>(scans));
  const auto out_axes = integers_of(node, "scan_output_axes", outputs - states);
  const auto out_reversed = integers_of(node, "scan_output_directions", outputs - states);
  std::int64_t steps = -1;
  for (std::size_t i = 0; i < axes.size(); ++i) {
    const Shape& shape = graph_.so_far().value(inputs[states + i]).shape;
    const auto rank = static_cast<std::int64_t>(shape.size());
    const std::int64_t axis = axes[i] < 0 ? axes[i] + rank : axes[i];
    if (axis < 0 || axis >= rank)
      return Error{at, "scan axis " + std::to_string(axes[i]), "an axis of the scanned input", ""};
    const std::int64_t extent = shape[static_cast<std::size_t>(axis)];
    if (steps >= 0 && extent != steps)
      return Error{at, "scanned inputs of different length", "one length", ""};
    steps = extent;
  }
  if (steps > most_steps) return Error{at, std::to_string(steps) + " steps", "at most 4096", ""};
  std::vector<ValueId> carried(inputs.begin(),
                               inputs.begin() + static_cast<std::ptrdiff_t>(states));
  std::vector<std::vector<ValueId>> stacked(outputs - states);
  for (std::int64_t step = 0; step < steps; ++step) {
    OnnxScope inner{&scope, node_name(node, scope) + "/" + std::to_string(step) + "/"};
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      ValueId id = i < states ? carried[i] : no_id;
      if (i >= states) {
        const std::int64_t t = reversed[i - states] ? steps - 1 - step : step;
        LOCKSTEP_TRY(id, step_of(node, inputs[i], axes[i - states], t, inner.prefix));
      }
      inner.names[body->input(static_cast<int>(i)).name()] = id;
    }
    LOCKSTEP_TRY(const std::vector<ValueId> made, read_body(*body, inner));
    std::copy_n(made.begin(), states, carried.begin());
    for (std::size_t i = states; i < outputs; ++i) stacked[i - states].push_back(made[i]);
  }
  for (std::size_t i = 0; i < static_cast<std::size_t>(node.output_size()); ++i) {
    const std::string& name = node.output(static_cast<int>(i));
    if (i < states) {
      LOCKSTEP_CHECK(bind(node, name, carried[i], scope));
      continue;
    }
    auto& rows = stacked[i - states];
    if (out_reversed[i - states]) std::ranges::reverse(rows);
    LOCKSTEP_CHECK(stack(node, name, rows, out_axes[i - states], scope));
  }
  return {};
}

Result<void> OnnxReader::unroll_loop(const onnx::NodeProto& node, OnnxScope& scope) {
  const std::string at = where(node, scope);
  LOCKSTEP_TRY(const onnx::GraphProto* const body, graph_attribute(node, "body", scope));
  LOCKSTEP_TRY(std::vector<ValueId> inputs, inputs_of(node, scope));
  inputs.resize(std::max<std::size_t>(inputs.size(), 2), no_id);
  const Tensor* trips =
      inputs[0] == no_id ? nullptr : graph_.so_far().value(inputs[0]).constant.get();
  if (inputs[0] != no_id && (!trips || trips->count() != 1))
    return Error{at, "a trip count that depends on data", "a constant trip count",
                 "such loops cannot be unrolled"};
  const std::int64_t most = trips ? trips->code(0) : most_steps + 1;
  std::optional<bool> going =
      inputs[1] == no_id ? std::optional<bool>(true) : truth_of(graph_.so_far(), inputs[1]);
  const std::size_t states = inputs.size() - 2;
  const auto outputs = static_cast<std::size_t>(body->output_size());
  if (static_cast<std::size_t>(body->input_size()) != inputs.size() || outputs < states + 1 ||
      static_cast<std::size_t>(node.output_size()) > outputs - 1 ||
      std::count(inputs.begin() + 2, inputs.end(), no_id))
    return Error{at, "a body of other inputs and outputs",
                 "trip number, condition and " + std::to_string(states) + " carried", ""};
  std::vector<ValueId> carried(inputs.begin() + 2, inputs.end());
  std::vector<std::vector<ValueId>> stacked(outputs - 1 - states);
  for (std::int64_t step = 0; going.value_or(true) && step < most; ++step) {
    if (!going)
      return Error{at, "a condition that depends on data", "a constant trip count",
                   "such loops cannot be unrolled"};
    if (step >= most_steps) return Error{at, "more than 4096 steps", "at most 4096", ""};
    OnnxScope inner{&scope, node_name(node, scope) + "/" + std::to_string(step) + "/"};
    inner.names[body->input(0).name()] =
        add_constant(inner.prefix + body->input(0).name(), Tensor::scalar(step));
    Tensor truth(DType::boolean, {});
    truth.set_code(0, 1);
    inner.names[body->input(1).name()] =
        add_constant(inner.prefix + body->input(1).name(), std::move(truth));
    for (std::size_t i = 0; i < states; ++i)
      inner.names[body->input(static_cast<int>(i) + 2).name()] = carried[i];
    LOCKSTEP_TRY(const std::vector<ValueId> made, read_body(*body, inner));
    going = truth_of(graph_.so_far(), made[0]);
    std::copy_n(made.begin() + 1, states, carried.begin());
    for (std::size_t i = 0; i < stacked.size(); ++i) stacked[i].push_back(made[1 + states + i]);
  }
  for (std::size_t i = 0; i < static_cast<std::size_t>(node.output_size()); ++i) {
    const std::string& name = node.output(static_cast<int>(i));
    if (i < states)
      LOCKSTEP_CHECK(bind(node, name, carried[i], scope));
    else
      LOCKSTEP_CHECK(stack(node, name, stacked[i - states], 0, scope));
  }
  return {};
}

Result<void> OnnxReader::inline_if(const onnx::NodeProto& node, OnnxScope& scope) {
  const std::string at = where(node, scope);
  LOCKSTEP_TRY(const std::vector<ValueId> inputs, inputs_of(node, scope));
  const auto condition = truth_of(graph_.so_far(), inputs.empty() ? no_id : inputs[0]);
  if (!condition)
    return Error{at, "a condition that depends on data", "a constant condition",
                 "export the branch that the device runs"};
  LOCKSTEP_TRY(const onnx::GraphProto* const branch,
               graph_attribute(node, *condition ? "then_branch" : "else_branch", scope));
  if (node.output_size() > branch->output_size())
    return Error{at, std::to_string(branch->output_size()) + " outputs of its branch",
                 std::to_string(node.output_size()), ""};
  OnnxScope inner{&scope, node_name(node, scope) + "/"};
  for (int i = 0; i < node.output_size(); ++i)
    inner.outward[branch->output(i).name()] = scope.prefix + node.output(i);
  LOCKSTEP_TRY(const std::vector<ValueId> made, read_body(*branch, inner));
  for (int i = 0; i < node.output_size(); ++i)
    LOCKSTEP_CHECK(bind(node, node.output(i), made[static_cast<std::size_t>(i)], scope));
  return {};
}

namespace {

// The body's nodes with the caller's attributes in place of the references to them.
onnx::NodeProto with_attributes(onnx::NodeProto inner, const onnx::NodeProto& caller) {
  for (int i = inner.attribute_size(); i-- > 0;) {
    auto* a = inner.mutable_attribute(i);
    if (a->ref_attr_name().empty()) continue;
    const std::string name = a->name();
    if (const auto* given = find_attribute(caller, a->ref_attr_name())) {
      *a = *given;
      a->set_name(name);
    } else {
      inner.mutable_attribute()->DeleteSubrange(i, 1);
    }
  }
  return inner;
}

}  // namespace

Result<void> OnnxReader::inline_function(const onnx::NodeProto& node,
                                         const onnx::FunctionProto& function, OnnxScope& scope) {
  const std::string at = where(node, scope);
  if (depth_ >= most_depth)
    return Error{at, "functions nested deeper than 32", "fewer", "a function that calls itself?"};
  LOCKSTEP_TRY(std::vector<ValueId> inputs, inputs_of(node, scope));
  if (node.input_size() > function.input_size() || node.output_size() > function.output_size())
    return Error{
        at, "more inputs or outputs than its function has",
        std::to_string(function.input_size()) + " and " + std::to_string(function.output_size()),
        ""};
  OnnxScope inner;
  inner.prefix = node_name(node, scope) + "/";
  for (std::size_t i = 0; i < inputs.size(); ++i)
    if (inputs[i] != no_id) inner.names[function.input(static_cast<int>(i))] = inputs[i];
  for (int i = 0; i < node.output_size(); ++i) {
    const auto outward = scope.outward.find(node.output(i));
    inner.outward[function.output(i)] =
        outward == scope.outward.end() ? scope.prefix + node.output(i) : outward->second;
  }
  ++depth_;
  unrolled_ += function.node_size();
  if (unrolled_ > most_nodes) return Error{file_, "more than 200000 unrolled nodes", "fewer", ""};
  for (const auto& body : function.node())
    LOCKSTEP_CHECK(read_node(with_attributes(body, node), inner));
  --depth_;
  for (int i = 0; i < node.output_size(); ++i) {
    const ValueId id = inner.find(function.output(i));
    if (id == no_id)
      return Error{at, "function output '" + function.output(i) + "', which no node makes",
                   "an output of some node", ""};
    LOCKSTEP_CHECK(bind(node, node.output(i), id, scope));
  }
  return {};
}

}  // namespace lockstep
