#include "ir/patch.h"

#include <algorithm>

#include "ir/order.h"

namespace lockstep {

bool Patch::empty() const {
  return values_.empty() && nodes_.empty() && removed_.empty() && replaced_.empty() &&
         shunts_.empty() && facts_.empty() && starts_.empty();
}

ValueId Patch::add_value(Value value) {
  values_.push_back(std::move(value));
  return static_cast<ValueId>(graph_.values().size() + values_.size() - 1);
}

NodeId Patch::add_node(Node node) {
  nodes_.push_back(std::move(node));
  return static_cast<NodeId>(graph_.nodes().size() + nodes_.size() - 1);
}

void Patch::remove_node(NodeId id) {
  removed_.push_back(id);
}
void Patch::replace_node(NodeId id, Node node) {
  replaced_.emplace_back(id, std::move(node));
}
void Patch::replace_uses(ValueId old_id, ValueId new_id) {
  shunts_.emplace_back(old_id, new_id);
}
void Patch::set_value(ValueId id, Value value) {
  facts_.emplace_back(id, std::move(value));
}

namespace {

// Drops values that nobody reads or makes, and renumbers.
void compact(std::vector<Value>& values, std::vector<Node>& nodes, std::vector<ValueId>& inputs,
             std::vector<ValueId>& outputs, std::vector<State>& states) {
  std::vector<bool> used(values.size(), false);
  const auto mark = [&](ValueId v) {
    if (v != no_id) used[static_cast<std::size_t>(v)] = true;
  };
  for (const Node& n : nodes) {
    std::ranges::for_each(n.inputs, mark);
    std::ranges::for_each(n.outputs, mark);
  }
  std::ranges::for_each(inputs, mark);
  std::ranges::for_each(outputs, mark);
  for (const State& s : states) mark(s.in), mark(s.out);
  for (std::size_t i = 0; i < values.size(); ++i)
    if (values[i].folded) used[i] = true;
  std::vector<ValueId> renamed(values.size(), no_id);
  std::vector<Value> kept;
  for (std::size_t i = 0; i < values.size(); ++i)
    if (used[i]) {
      renamed[i] = static_cast<ValueId>(kept.size());
      kept.push_back(std::move(values[i]));
    }
  const auto rename = [&](ValueId& v) {
    if (v != no_id) v = renamed[static_cast<std::size_t>(v)];
  };
  for (Node& n : nodes) {
    std::ranges::for_each(n.inputs, rename);
    std::ranges::for_each(n.outputs, rename);
  }
  std::ranges::for_each(inputs, rename);
  std::ranges::for_each(outputs, rename);
  for (State& s : states) rename(s.in), rename(s.out);
  values = std::move(kept);
}

}  // namespace

void Patch::set_state_start(std::size_t state, std::shared_ptr<const Tensor> initial) {
  starts_.emplace_back(state, std::move(initial));
}

Result<Graph> Patch::apply() const {
  Graph g = graph_;
  for (const auto& [id, value] : facts_) g.values_[static_cast<std::size_t>(id)] = value;
  for (const auto& [state, initial] : starts_) g.states_[state].initial = initial;
  g.values_.insert(g.values_.end(), values_.begin(), values_.end());
  for (const auto& [id, node] : replaced_) g.nodes_[static_cast<std::size_t>(id)] = node;
  g.nodes_.insert(g.nodes_.end(), nodes_.begin(), nodes_.end());
  std::vector<bool> gone(g.nodes_.size(), false);
  for (const NodeId id : removed_) gone[static_cast<std::size_t>(id)] = true;
  std::vector<Node> nodes;
  for (std::size_t i = 0; i < g.nodes_.size(); ++i)
    if (!gone[i]) nodes.push_back(std::move(g.nodes_[i]));
  for (const auto& [from, to] : shunts_) {
    for (Node& n : nodes) std::ranges::replace(n.inputs, from, to);
    std::ranges::replace(g.outputs_, from, to);
    for (State& s : g.states_)
      if (s.out == from) s.out = to;
  }
  g.nodes_ = std::move(nodes);
  compact(g.values_, g.nodes_, g.inputs_, g.outputs_, g.states_);
  LOCKSTEP_CHECK(sort_nodes(g.values_, g.nodes_, g.file_));
  if (auto good = verify(g); !good.ok()) {
    Error error = good.error();
    error.hint = "after the pass '" + label_ + "'";
    return error;
  }
  return g;
}

}  // namespace lockstep
