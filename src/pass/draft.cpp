// A graph that is edited node by node, and orders of axes.
#include <algorithm>
#include <utility>

#include "pass/transposes.h"

namespace lockstep {
namespace {

std::size_t at(std::int64_t i) {
  return static_cast<std::size_t>(i);
}

// Element by element along y's axes.
Tensor turned_contents(const Tensor& x, const Shape& shape, const Perm& perm) {
  Tensor y(x.dtype(), shape);
  const std::size_t width = size_of(x.dtype());
  const Shape from = strides_of(x.shape());
  Shape index(shape.size(), 0);
  for (std::int64_t i = 0; i < y.count(); ++i) {
    std::int64_t source = 0;
    for (std::size_t d = 0; d < shape.size(); ++d) source += index[d] * from[at(perm[d])];
    std::copy_n(x.bytes().data() + at(source) * width, width, y.bytes().data() + at(i) * width);
    for (std::size_t d = shape.size(); d-- > 0;) {
      if (++index[d] < shape[d]) break;
      index[d] = 0;
    }
  }
  return y;
}

std::string unique(std::set<std::string>& taken, const std::string& wish) {
  std::string name = wish;
  for (int i = 2; !taken.insert(name).second; ++i) name = wish + "_" + std::to_string(i);
  return name;
}

}  // namespace

Perm inverse_of(const Perm& perm) {
  Perm back(perm.size());
  for (std::size_t d = 0; d < perm.size(); ++d) back[at(perm[d])] = static_cast<std::int64_t>(d);
  return back;
}

Perm composed(const Perm& first, const Perm& then) {
  Perm both;
  for (const std::int64_t axis : then) both.push_back(first[at(axis)]);
  return both;
}

bool is_identity(const Perm& perm) {
  return std::ranges::is_sorted(perm);
}

Value turned(Value value, const Perm& perm) {
  Shape shape;
  for (const std::int64_t axis : perm) shape.push_back(value.shape[at(axis)]);
  if (value.quant.axis >= 0)
    value.quant.axis = static_cast<int>(inverse_of(perm)[at(value.quant.axis)]);
  if (value.constant)
    value.constant = std::make_shared<const Tensor>(turned_contents(*value.constant, shape, perm));
  value.shape = std::move(shape);
  return value;
}

std::vector<Shown> shown_in(const Graph& to, const std::vector<Shown>& shown,
                            std::span<const Value> from) {
  std::vector<Shown> found;
  for (const Shown& s : shown) {
    const ValueId source = to.find_value(from[at(s.source)].name);
    if (source != no_id) found.push_back({s.value, source, s.perm});
  }
  return found;
}

Draft::Draft(const Graph& graph, std::vector<Shown> shown_before)
    : values(graph.values().begin(), graph.values().end()),
      nodes(graph.nodes().begin(), graph.nodes().end()),
      shown(std::move(shown_before)),
      graph_(graph),
      edges_(values.size()),
      outputs_(values.size(), false),
      output_ids_(graph.outputs().begin(), graph.outputs().end()) {
  for (const Value& v : values) names_.insert(v.name);
  for (std::size_t n = 0; n < nodes.size(); ++n) {
    node_names_.insert(nodes[n].name);
    for (const ValueId v : nodes[n].inputs)
      if (v != no_id) edges_[at(v)].push_back(static_cast<NodeId>(n));
  }
  for (const ValueId v : output_ids_) outputs_[at(v)] = true;
}

std::vector<NodeId> Draft::readers(ValueId v) const {
  auto found = edges_[at(v)];
  std::ranges::sort(found);
  found.erase(std::unique(found.begin(), found.end()), found.end());
  return found;
}

NodeId Draft::only_reader(ValueId v) const {
  if (is_output(v)) return no_id;
  const auto all = readers(v);
  return all.size() == 1 ? all[0] : no_id;
}

bool Draft::is_constant(ValueId v) const {
  return v != no_id && value(v).constant && !value(v).folded;
}

ValueId Draft::constant_codes(ValueId v) const {
  if (!made_by(v, "DequantizeLinear") || only_reader(v) == no_id) return no_id;
  const Node& dq = node(maker(v));
  return is_constant(dq.inputs[0]) && dq.attrs.integer("block_size", 0) == 0 ? dq.inputs[0] : no_id;
}

ValueId Draft::add_value(Value value) {
  value.name = unique(names_, value.name);
  value.producer = no_id;
  values.push_back(std::move(value));
  edges_.emplace_back();
  outputs_.push_back(false);
  return static_cast<ValueId>(values.size() - 1);
}

NodeId Draft::add_node(Node node) {
  const auto id = static_cast<NodeId>(nodes.size());
  node.name = unique(node_names_, node.name);
  for (const ValueId v : node.inputs)
    if (v != no_id) edges_[at(v)].push_back(id);
  for (const ValueId v : node.outputs)
    if (v != no_id) value(v).producer = id;
  nodes.push_back(std::move(node));
  return id;
}

void Draft::set_input(NodeId n, std::size_t slot, ValueId v) {
  ValueId& input = node(n).inputs[slot];
  if (input != no_id) {
    auto& edges = edges_[at(input)];
    edges.erase(std::ranges::find(edges, n));
  }
  input = v;
  if (v != no_id) edges_[at(v)].push_back(n);
}

void Draft::set_output(NodeId n, std::size_t slot, ValueId v) {
  ValueId& output = node(n).outputs[slot];
  if (maker(output) == n) value(output).producer = no_id;
  output = v;
  value(v).producer = n;
}

void Draft::replace_reads(ValueId from, ValueId to) {
  for (const NodeId reader : readers(from))
    for (std::size_t i = 0; i < node(reader).inputs.size(); ++i)
      if (node(reader).inputs[i] == from) set_input(reader, i, to);
}

void Draft::remove_node(NodeId n) {
  for (std::size_t i = 0; i < node(n).inputs.size(); ++i) set_input(n, i, no_id);
  for (const ValueId v : node(n).outputs)
    if (maker(v) == n) value(v).producer = no_id;
  node(n) = {};
}

void Draft::hand_name(ValueId from, ValueId to) {
  const Value before = value(to);
  std::swap(value(from).name, value(to).name);
  std::swap(value(from).origin, value(to).origin);
  std::ranges::replace(output_ids_, from, to);
  outputs_[at(from)] = false;
  outputs_[at(to)] = true;
  Perm same(before.shape.size());
  for (std::size_t d = 0; d < same.size(); ++d) same[d] = static_cast<std::int64_t>(d);
  shown.push_back({before, to, std::move(same)});
}

// What stood before a quantizer that the runtime put there itself: the file's tensor is made of it.
ValueId Draft::before_own_quantizer(ValueId v) const {
  if (!made_by(v, "DequantizeLinear") || !value(v).name.ends_with("/dequantized")) return v;
  const ValueId codes = node(maker(v)).inputs[0];
  if (!made_by(codes, "QuantizeLinear") || !node(maker(codes)).name.ends_with("/quantize"))
    return v;
  return node(maker(codes)).inputs[0];
}

void Draft::show(ValueId v, ValueId source, const Perm& perm) {
  source = before_own_quantizer(source);
  for (Shown& s : shown)
    if (s.source == v) s.source = source, s.perm = composed(perm, s.perm);
  if (!value(v).constant) shown.push_back({value(v), source, perm});
}

Result<Graph> Draft::finish() const {
  Patch patch(graph_, "carry-transposes");
  const std::size_t had = graph_.values().size(), nodes_had = graph_.nodes().size();
  for (std::size_t v = 0; v < values.size(); ++v) {
    if (v < had)
      patch.set_value(static_cast<ValueId>(v), values[v]);
    else
      patch.add_value(values[v]);
  }
  for (std::size_t n = 0; n < nodes.size(); ++n) {
    const auto id = static_cast<NodeId>(n);
    if (n >= nodes_had)
      patch.add_node(nodes[n].op.empty() ? Node{} : nodes[n]);
    else if (!nodes[n].op.empty())
      patch.replace_node(id, nodes[n]);
    if (nodes[n].op.empty()) patch.remove_node(id);
  }
  for (std::size_t i = 0; i < output_ids_.size(); ++i)
    if (graph_.outputs()[i] != output_ids_[i])
      patch.replace_uses(graph_.outputs()[i], output_ids_[i]);
  return patch.apply();
}

}  // namespace lockstep
