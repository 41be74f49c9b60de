// Channels last, where convolutions on codes gain by it.
#include "emit/layout.h"

#include <algorithm>
#include <map>
#include <numeric>

#include "emit/finish.h"

namespace lockstep {
namespace {

// Both orders are the same bytes: one channel, or one place.
bool either_way(const Shape& s) {
  return s.size() < 3 || s[1] == 1 || count_of(s) == s[0] * s[1];
}

// Nodes whose operands and result lie channels last, chosen by groups that hang together.
class Choice {
 public:
  Choice(const Graph& g, const Numerics& num)
      : g_(g), root_(g.values().size()), chosen_(g.nodes().size()) {
    std::iota(root_.begin(), root_.end(), 0);
    pinned_.assign(g.values().size(), false);
    for (const ValueId v : g.inputs()) pinned_[at(v)] = true;
    for (const ValueId v : g.outputs()) pinned_[at(v)] = true;
    for (const State& s : g.states()) pinned_[at(s.in)] = pinned_[at(s.out)] = true;
    for (std::size_t n = 0; n < g.nodes().size(); ++n) chosen_[n] = may_turn(view(n), num);
    while (leave_the_larger_side() || leave_what_loses()) {
    }
  }
  bool node(NodeId n) const { return chosen_[static_cast<std::size_t>(n)]; }
  // A value that a chosen node or one that moves elements makes, and a chosen one reads or makes.
  bool value(ValueId v) const { return !pinned_[at(v)] && made_turned(v) && touched(v); }

 private:
  static std::size_t at(ValueId v) { return static_cast<std::size_t>(v); }
  NodeView view(std::size_t n) const { return {g_, g_.nodes()[n]}; }

  bool made_turned(ValueId v) const {
    const NodeId by = g_.value(v).producer;
    return by != no_id && (node(by) || moves_elements(view(static_cast<std::size_t>(by))));
  }
  bool touched(ValueId v) const {
    const Value& value = g_.value(v);
    if (value.shape.size() < 3 || value.shape.size() > 4 || value.quant.per_channel()) return false;
    if (value.producer != no_id && node(value.producer)) return true;
    return std::ranges::any_of(g_.consumers(v), [&](NodeId n) { return node(n); });
  }

  ValueId find(ValueId v) {
    while (root_[at(v)] != v) v = root_[at(v)] = root_[at(root_[at(v)])];
    return v;
  }

  std::vector<ValueId> computed_inputs(const Node& node) const {
    std::vector<ValueId> out;
    for (const ValueId v : node.inputs)
      if (v != no_id && !g_.value(v).constant && count_of(g_.value(v).shape) > 1) out.push_back(v);
    return out;
  }

  // What must be turned on the way in or out of the chosen nodes costs its elements twice.
  bool enters_as_it_lies(ValueId v) const { return !made_turned(v) || pinned_[at(v)]; }
  bool leaves_as_it_lies(ValueId v) const {
    if (std::ranges::count(g_.outputs(), v) > 0) return true;
    const auto readers = g_.consumers(v);
    return std::ranges::none_of(readers, [&](NodeId n) { return node(n); });
  }

  // A conversion at the border stands on the side where its tensor is smaller.
  bool leave_the_larger_side() {
    bool any = false;
    for (std::size_t n = 0; n < chosen_.size(); ++n) {
      if (!chosen_[n] || gain_of_turning(view(n)) > 0) continue;
      const Node& node = g_.nodes()[n];
      const ValueId y = node.outputs[0];
      std::int64_t in = 0;
      bool enters = true;
      for (const ValueId v : computed_inputs(node)) {
        in += bytes_of(g_.value(v));
        enters = enters && enters_as_it_lies(v);
      }
      const std::int64_t out = bytes_of(g_.value(y));
      const bool leave =
          (enters && in >= out && !leaves_as_it_lies(y)) || (leaves_as_it_lies(y) && out >= in);
      if (leave) chosen_[n] = false, any = true;
    }
    return any;
  }

  // Groups of chosen nodes that gain less than what is turned around them costs.
  bool leave_what_loses() {
    std::iota(root_.begin(), root_.end(), 0);
    for (std::size_t n = 0; n < chosen_.size(); ++n) {
      if (!chosen_[n]) continue;
      const Node& node = g_.nodes()[n];
      for (const ValueId v : computed_inputs(node)) root_[at(find(v))] = find(node.outputs[0]);
    }
    std::map<ValueId, std::int64_t> balance;
    std::map<ValueId, bool> counted;
    for (std::size_t n = 0; n < chosen_.size(); ++n) {
      if (!chosen_[n]) continue;
      const Node& node = g_.nodes()[n];
      std::int64_t& sum = balance[find(node.outputs[0])];
      sum += gain_of_turning(view(n));
      for (const ValueId v : computed_inputs(node))
        if (enters_as_it_lies(v) && !counted[v]) sum -= turning(v), counted[v] = true;
      if (leaves_as_it_lies(node.outputs[0])) sum -= turning(node.outputs[0]);
    }
    bool any = false;
    for (std::size_t n = 0; n < chosen_.size(); ++n)
      if (chosen_[n] && balance[find(g_.nodes()[n].outputs[0])] <= 0)
        chosen_[n] = false, any = true;
    return any;
  }
  std::int64_t turning(ValueId v) const {
    return either_way(g_.value(v).shape) ? 0 : 2 * count_of(g_.value(v).shape);
  }

  const Graph& g_;
  std::vector<ValueId> root_;
  std::vector<bool> chosen_, pinned_;
};

// Writes the graph anew; a value that is asked for in the other order is turned by a node of its
// own.
class Rewriter {
 public:
  Rewriter(const Graph& g, const Choice* choice)
      : g_(g), choice_(choice), b_(g.file(), g.format()) {
    for (std::size_t v = 0; v < g.values().size(); ++v) {
      Value copy = g.values()[v];
      copy.producer = no_id;
      const bool turned = choice && choice->value(static_cast<ValueId>(v));
      if (turned) copy.shape = channels_last_shape(copy.shape);
      turned_.push_back(turned), inner_.push_back(false);
      b_.add_value(std::move(copy));
    }
  }

  Result<Layout> write() && {
    for (std::size_t n = 0; n < g_.nodes().size(); ++n) LOCKSTEP_CHECK(add(static_cast<NodeId>(n)));
    for (const ValueId v : g_.inputs()) b_.add_input(v);
    for (const ValueId v : g_.outputs()) b_.add_output(v);
    for (const State& s : g_.states()) b_.add_state(s);
    LOCKSTEP_TRY(Graph graph, std::move(b_).finish());
    Layout out{std::move(graph), &g_, {}, std::move(turned_), std::move(inner_), {}};
    for (const Node& node : out.graph.nodes()) {
      const auto it = origin_.find(node.name);
      out.origin.push_back(it == origin_.end() ? no_id : it->second);
    }
    out.turned.resize(out.graph.values().size()), out.inner.resize(out.graph.values().size());
    return out;
  }

 private:
  bool turned(ValueId v) const { return turned_[static_cast<std::size_t>(v)]; }

  // The model's axes in the order in which the result has them.
  void add_transpose(ValueId from, ValueId to, bool to_last, std::size_t rank) {
    Node node;
    node.op = "Transpose";
    node.name = b_.unique_node_name(
        g_.value(from < static_cast<ValueId>(g_.values().size()) ? from : to).name +
        (to_last ? "/to_channels_last" : "/to_channels_first"));
    std::vector<std::int64_t> perm(rank);
    const auto order = channels_last_order(rank);
    for (std::size_t d = 0; d < rank; ++d)
      (to_last ? perm[d] : perm[order[d]]) = static_cast<std::int64_t>(to_last ? order[d] : d);
    node.attrs.set("perm", perm);
    node.inputs = {from}, node.outputs = {to};
    b_.add_node(std::move(node));
  }

  ValueId inner_copy(ValueId v, bool last) {
    Value copy = g_.value(v);
    copy.name = b_.unique_name(copy.name + (last ? "/channels_last" : "/channels_first"));
    copy.producer = no_id;
    if (last) copy.shape = channels_last_shape(copy.shape);
    turned_.resize(b_.so_far().values().size()), inner_.resize(b_.so_far().values().size());
    turned_.push_back(last), inner_.push_back(true);
    return b_.add_value(std::move(copy));
  }

  // The value in the order asked for.
  ValueId in_order(ValueId v, bool last) {
    const Value& value = g_.value(v);
    if (turned(v) == last || value.constant || count_of(value.shape) <= 1) return v;
    const auto it = other_.find(v);
    if (it != other_.end()) return it->second;
    const ValueId copy = inner_copy(v, last);
    other_[v] = copy;
    add_transpose(v, copy, last, value.shape.size());
    return copy;
  }

  Result<void> add(NodeId n) {
    const NodeView before{g_, g_.node(n)};
    Node node = before.node;
    const bool chosen = choice_ && choice_->node(n);
    if (chosen || !moves_elements(before))
      for (ValueId& v : node.inputs)
        if (v != no_id) v = in_order(v, chosen);
    ValueId late = no_id;
    if (chosen) {
      LOCKSTEP_CHECK(turn_node(before, node, b_));
      turned_.resize(b_.so_far().values().size()), inner_.resize(b_.so_far().values().size());
      if (!turned(node.outputs[0]) && g_.value(node.outputs[0]).shape.size() >
                                          2) {  // the network's own order: turned behind the node
        late = node.outputs[0];
        node.outputs[0] = other_[late] = inner_copy(late, true);
      }
    }
    origin_[node.name] = n;
    const ValueId made = node.outputs.empty() ? no_id : node.outputs[0];
    b_.add_node(std::move(node));
    if (late != no_id) add_transpose(made, late, false, g_.value(late).shape.size());
    return {};
  }

  const Graph& g_;
  const Choice* choice_;
  GraphBuilder b_;
  std::vector<bool> turned_, inner_;
  std::map<ValueId, ValueId> other_;  // by value: the same in the other order
  std::map<std::string, NodeId> origin_;
};

// Where a single output is its input, byte by byte.
Result<bool> keeps_bytes(const Layout& layout, const Numerics& num, NodeId n) {
  const NodeView v{layout.graph, layout.graph.node(n)};
  const bool whole = keeps_order(v.node.op);
  if ((!whole && v.node.op != "Transpose") || !moves_elements(v)) return false;
  if (bytes_of(v.input(0)) != bytes_of(v.output(0))) return false;
  const auto lies_turned = [&](ValueId id) { return layout.turned[static_cast<std::size_t>(id)]; };
  if (whole && !lies_turned(v.node.inputs[0]) && !lies_turned(v.node.outputs[0])) return true;
  LOCKSTEP_TRY(const auto map, elements_as_they_lie(layout, num, n, 0));
  for (std::size_t i = 0; i < map.size(); ++i)
    if (map[i] != static_cast<std::int64_t>(i)) return false;
  return true;
}

}  // namespace

bool keeps_order(std::string_view op) {
  return op == "Reshape" || op == "Flatten" || op == "Squeeze" || op == "Unsqueeze" ||
         op == "Identity";
}

Result<std::vector<std::int64_t>> elements_as_they_lie(const Layout& layout, const Numerics& num,
                                                       NodeId n, std::size_t o) {
  const NodeId origin = layout.origin[static_cast<std::size_t>(n)];
  const Graph& g = origin == no_id ? layout.graph : *layout.before;
  const NodeView v{g, g.node(origin == no_id ? n : origin)};
  LOCKSTEP_TRY(auto map, elements_moved(v, num, o));
  if (origin == no_id) return map;
  const auto lies_turned = [&](ValueId id) { return layout.turned[static_cast<std::size_t>(id)]; };
  if (lies_turned(v.node.outputs[o])) {
    std::vector<std::int64_t> lies;
    for (const std::int64_t element : channels_last_elements(v.output(o).shape))
      lies.push_back(map[static_cast<std::size_t>(element)]);
    map = std::move(lies);
  }
  if (lies_turned(v.node.inputs[0])) {
    const auto elements = channels_last_elements(v.input(0).shape);
    std::vector<std::int64_t> place(elements.size());
    for (std::size_t i = 0; i < elements.size(); ++i)
      place[static_cast<std::size_t>(elements[i])] = static_cast<std::int64_t>(i);
    for (std::int64_t& from : map) from = from < 0 ? from : place[static_cast<std::size_t>(from)];
  }
  return map;
}

Result<Layout> lay_out(const Graph& before, const Numerics& num, bool turn) {
  const Choice choice(before, num);
  LOCKSTEP_TRY(Layout layout, Rewriter(before, turn ? &choice : nullptr).write());
  for (std::size_t n = 0; n < layout.graph.nodes().size(); ++n) {
    LOCKSTEP_TRY(const bool same, keeps_bytes(layout, num, static_cast<NodeId>(n)));
    layout.same_bytes.push_back(same);
  }
  return layout;
}

}  // namespace lockstep
