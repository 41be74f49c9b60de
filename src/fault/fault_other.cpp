#include "fault/fault_other.h"

#include <algorithm>

namespace lockstep {
namespace {

std::int64_t bytes_of(const Value& v) { return count_of(v.shape) * static_cast<std::int64_t>(size_of(v.dtype)); }

}  // namespace

std::vector<ValueId> other_tensors(const Site& site, std::int64_t bytes) {
  const Graph& g = site.graph();
  const Node& node = g.node(site.node);
  std::vector<ValueId> before, after;
  for (std::size_t i = 0; i < g.values().size(); ++i) {
    const Value& v = g.values()[i];
    const auto id = static_cast<ValueId>(i);
    if (v.constant || bytes_of(v) < bytes || v.producer == site.node) continue;
    (v.producer < site.node ? before : after).push_back(id);
  }
  const auto later = [&](ValueId a, ValueId b) { return g.value(a).producer > g.value(b).producer; };
  std::ranges::stable_sort(before, later);
  std::ranges::stable_partition(before, [&](ValueId id) { return std::ranges::find(node.inputs, id) == node.inputs.end(); });
  before.insert(before.end(), after.begin(), after.end());
  return before;
}

ValueId other_tensor(const Site& site, const Params& params, std::int64_t bytes) {
  const auto it = params.find("other");
  const Graph& g = site.graph();
  if (it != params.end() && it->second >= 0)
    return it->second < static_cast<double>(g.values().size()) ? static_cast<ValueId>(it->second) : no_id;
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
