#include "pass/uses.h"

namespace lockstep {

Uses::Uses(const Graph& graph)
    : graph_(graph), uses_(graph.values().size()), outputs_(graph.values().size(), false) {
  for (std::size_t n = 0; n < graph.nodes().size(); ++n)
    for (std::size_t i = 0; i < graph.nodes()[n].inputs.size(); ++i)
      if (const ValueId v = graph.nodes()[n].inputs[i]; v != no_id)
        uses_[static_cast<std::size_t>(v)].push_back({static_cast<NodeId>(n), i});
  for (const ValueId v : graph.outputs()) outputs_[static_cast<std::size_t>(v)] = true;
  for (const State& s : graph.states()) outputs_[static_cast<std::size_t>(s.out)] = true;
}

const Node* Uses::only_reader(ValueId v) const {
  return is_output(v) || of(v).size() != 1 ? nullptr : &graph_.node(of(v)[0].node);
}

const Node* Uses::maker(const Node& node, std::size_t slot, std::string_view op) const {
  if (!has_input(node, slot)) return nullptr;
  const NodeId id = graph_.value(node.inputs[slot]).producer;
  return id != no_id && graph_.node(id).op == op ? &graph_.node(id) : nullptr;
}

std::optional<ScalarQuant> scalar_quant(const Graph& graph, const Node& node) {
  const Tensor* const scale = graph.value(node.inputs[1]).constant.get();
  if (!scale || scale->count() != 1 || scale->shape().size() > 1 ||
      node.attrs.integer("block_size", 0) != 0)
    return {};
  const bool quantizes = node.op == "QuantizeLinear";
  ScalarQuant q{scale->as<float>()[0], 0,
                graph.value(quantizes ? node.outputs[0] : node.inputs[0]).dtype,
                has_input(node, 2)};
  if (!q.has_zero) return q;
  const Tensor* const zero = graph.value(node.inputs[2]).constant.get();
  if (!zero || zero->count() != 1 || zero->shape().size() > 1) return {};
  q.zero = static_cast<std::int32_t>(zero->code(0));
  return q;
}

int scale_axis(const Node& node, std::size_t rank) {
  const auto axis = static_cast<int>(node.attrs.integer("axis", 1));
  return axis < 0 ? axis + static_cast<int>(rank) : axis;
}

QuantParams stated_quant(const Graph& graph, const Node& node, std::size_t rank) {
  const Tensor* const scale = graph.value(node.inputs[1]).constant.get();
  const Tensor* const zero =
      has_input(node, 2) ? graph.value(node.inputs[2]).constant.get() : nullptr;
  if (!scale || (has_input(node, 2) && !zero) || node.attrs.integer("block_size", 0) != 0)
    return {};
  QuantParams q;
  for (std::int64_t i = 0; i < scale->count(); ++i) {
    q.scale.push_back(scale->number(i));
    q.zero.push_back(zero ? static_cast<std::int32_t>(zero->code(zero->count() > 1 ? i : 0)) : 0);
    if (!(q.scale.back() > 0) || q.scale.back() > 1e30) return {};
  }
  if (q.per_channel()) q.axis = scale_axis(node, rank);
  return q;
}

}  // namespace lockstep
