#include "pass/twins.h"

#include <algorithm>
#include <map>
#include <utility>

namespace lockstep {
namespace {

// Compares what makes two values, each pair of values once.
class Comparer {
 public:
  explicit Comparer(const Graph& g) : g_(g) {}

  bool same_nodes(const Node& a, const Node& b, int steps) {
    if (a.op != b.op || a.inputs.size() != b.inputs.size() ||
        a.outputs.size() != b.outputs.size() || a.attrs != b.attrs)
      return false;
    for (std::size_t i = 0; i < a.inputs.size(); ++i)
      if (!same_values(a.inputs[i], b.inputs[i], steps)) return false;
    return true;
  }

 private:
  bool same_values(ValueId a, ValueId b, int steps) {
    if (a == b) return true;
    if (a == no_id || b == no_id || steps == 0) return false;
    const auto [known, is_new] = seen_.emplace(std::minmax(a, b), false);
    if (is_new) known->second = made_alike(a, b, steps);
    return known->second;
  }

  bool made_alike(ValueId a, ValueId b, int steps) {
    const Value &x = g_.value(a), &y = g_.value(b);
    if (x.constant && y.constant) {
      const Tensor &s = *x.constant, &t = *y.constant;
      return s.count() == 1 && s.dtype() == t.dtype() && s.shape() == t.shape() &&
             std::ranges::equal(s.bytes(), t.bytes());
    }
    if (x.constant || y.constant || x.producer == no_id || y.producer == no_id) return false;
    const Node &p = g_.node(x.producer), &q = g_.node(y.producer);
    const auto place = [](const Node& n, ValueId v) {
      return std::ranges::find(n.outputs, v) - n.outputs.begin();
    };
    return place(p, a) == place(q, b) && same_nodes(p, q, steps - 1);
  }

  const Graph& g_;
  std::map<std::pair<ValueId, ValueId>, bool> seen_;
};

}  // namespace

bool has_twin(const Graph& g, ValueId value) {
  const NodeId by = g.value(value).producer;
  if (by == no_id) return false;
  const Node& node = g.node(by);
  const auto is_output = [&](ValueId v) { return std::ranges::count(g.outputs(), v) > 0; };
  Comparer comparer(g);
  return std::ranges::any_of(g.nodes(), [&](const Node& other) {
    return &other != &node && comparer.same_nodes(node, other, longest_twins) &&
           std::ranges::none_of(other.outputs, is_output);
  });
}

}  // namespace lockstep
