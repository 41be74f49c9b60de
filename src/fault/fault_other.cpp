#include "fault/fault_other.h"

#include <algorithm>

namespace lockstep {
namespace {

std::int64_t bytes_of(const Value& v) {
  return count_of(v.shape) * static_cast<std::int64_t>(size_of(v.dtype));
}

// What is made from the node's outputs: it cannot be the cause of what the node yields.
std::vector<bool> made_from(const Graph& g, NodeId id) {
  std::vector<bool> reached(g.values().size(), false);
  for (std::size_t n = static_cast<std::size_t>(id); n < g.nodes().size(); ++n) {
    const Node& node = g.nodes()[n];
    const bool reads =
        static_cast<NodeId>(n) == id || std::ranges::any_of(node.inputs, [&](ValueId v) {
          return v != no_id && reached[static_cast<std::size_t>(v)];
        });
    for (const ValueId v : node.outputs)
      if (v != no_id && reads) reached[static_cast<std::size_t>(v)] = true;
  }
  return reached;
}

}  // namespace

std::vector<ValueId> other_tensors(const Site& site, std::int64_t bytes) {
  const Graph& g = site.graph();
  const Node& node = g.node(site.node);
  const std::vector<bool> descends = made_from(g, site.node);
  std::vector<ValueId> before, after;
  for (std::size_t i = 0; i < g.values().size(); ++i) {
    const Value& v = g.values()[i];
    const auto id = static_cast<ValueId>(i);
    if (v.constant || bytes_of(v) < bytes || descends[i]) continue;
    (v.producer < site.node ? before : after).push_back(id);
  }
  const auto later = [&](ValueId a, ValueId b) {
    return g.value(a).producer > g.value(b).producer;
  };
  std::ranges::stable_sort(before, later);
  std::stable_partition(before.begin(), before.end(), [&](ValueId id) {
    return std::ranges::find(node.inputs, id) == node.inputs.end();
  });
  before.insert(before.end(), after.begin(), after.end());
  return before;
}

ValueId other_tensor(const Site& site, const Params& params, std::int64_t bytes) {
  const auto it = params.find("other");
  const Graph& g = site.graph();
  if (it != params.end() && it->second >= 0)
    return it->second < static_cast<double>(g.values().size()) ? static_cast<ValueId>(it->second)
                                                               : no_id;
  for (const ValueId id : other_tensors(site, bytes))
    if (g.value(id).producer < site.node) return id;
  return no_id;
}

const Tensor* contents_of(const Replay& r, ValueId id) {
  if (id == no_id) return nullptr;
  const Node& node = r.site.graph().node(r.site.node);
  for (std::size_t i = 0; i < node.inputs.size(); ++i)
    if (node.inputs[i] == id && i < r.in.size()) return r.in[i];
  return r.find ? r.find(id) : nullptr;
}

}  // namespace lockstep
