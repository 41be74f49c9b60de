#include "pass/twins.h"

#include <algorithm>

namespace lockstep {
namespace {

constexpr int most_steps = 8;  // operators that are compared one behind the other

bool same_values(const Graph& g, ValueId a, ValueId b, int steps);

bool same_nodes(const Graph& g, const Node& a, const Node& b, int steps) {
  if (a.op != b.op || a.inputs.size() != b.inputs.size() || a.outputs.size() != b.outputs.size() ||
      a.attrs != b.attrs)
    return false;
  for (std::size_t i = 0; i < a.inputs.size(); ++i)
    if (!same_values(g, a.inputs[i], b.inputs[i], steps)) return false;
  return true;
}

bool same_values(const Graph& g, ValueId a, ValueId b, int steps) {
  if (a == b) return true;
  if (a == no_id || b == no_id) return false;
  const Value &x = g.value(a), &y = g.value(b);
  if (x.constant && y.constant) {
    const Tensor &s = *x.constant, &t = *y.constant;
    return s.count() == 1 && s.dtype() == t.dtype() && s.shape() == t.shape() &&
           std::ranges::equal(s.bytes(), t.bytes());
  }
  if (x.constant || y.constant || x.producer == no_id || y.producer == no_id || steps == 0)
    return false;
  const Node &p = g.node(x.producer), &q = g.node(y.producer);
  const auto place = [](const Node& n, ValueId v) {
    return std::ranges::find(n.outputs, v) - n.outputs.begin();
  };
  return place(p, a) == place(q, b) && same_nodes(g, p, q, steps - 1);
}

}  // namespace

bool has_twin(const Graph& g, ValueId value) {
  const NodeId by = g.value(value).producer;
  if (by == no_id) return false;
  const Node& node = g.node(by);
  const auto is_output = [&](ValueId v) { return std::ranges::count(g.outputs(), v) > 0; };
  return std::ranges::any_of(g.nodes(), [&](const Node& other) {
    return &other != &node && same_nodes(g, node, other, most_steps) &&
           std::ranges::none_of(other.outputs, is_output);
  });
}

}  // namespace lockstep
