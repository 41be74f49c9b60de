#include <unordered_set>

#include "base/text.h"
#include "ir/graph.h"

namespace lockstep {
namespace {

Error broken(const Graph& g, std::string what, std::string want) {
  return Error{g.file(), std::move(what), std::move(want), ""};
}

bool in_range(const Graph& g, ValueId id) {
  return id >= 0 && static_cast<std::size_t>(id) < g.values().size();
}

Result<void> verify_value(const Graph& g, const Value& v) {
  const std::string where = "tensor '" + v.name + "'";
  LOCKSTEP_CHECK(checked_count(v.shape, g.file() + ": " + where));
  if (v.constant && (v.constant->dtype() != v.dtype || v.constant->shape() != v.shape))
    return broken(g, where + " holds " + shape_text(v.constant->shape()), shape_text(v.shape));
  const QuantParams& q = v.quant;
  if (!q.quantized()) return {};
  if (q.zero.size() != q.scale.size())
    return broken(g, where + " has " + std::to_string(q.zero.size()) + " zero points",
                  std::to_string(q.scale.size()) + ", one per scale");
  for (const double s : q.scale)
    if (!(s > 0) || s > 1e30)
      return broken(g, where + " has scale " + std::to_string(s), "a positive finite scale");
  if (!q.per_channel()) return {};
  if (q.axis < 0 || static_cast<std::size_t>(q.axis) >= v.shape.size())
    return broken(g, where + " has per-channel axis " + std::to_string(q.axis),
                  "0 .. " + std::to_string(static_cast<int>(v.shape.size()) - 1));
  if (static_cast<std::int64_t>(q.scale.size()) != v.shape[static_cast<std::size_t>(q.axis)])
    return broken(g, where + " has " + std::to_string(q.scale.size()) + " scales",
                  std::to_string(v.shape[static_cast<std::size_t>(q.axis)]) +
                      ", its extent along axis " + std::to_string(q.axis));
  return {};
}

Result<void> verify_node(const Graph& g, const Node& node, std::vector<bool>& made) {
  for (const ValueId v : node.inputs) {
    if (v == no_id) continue;
    if (!in_range(g, v))
      return broken(g, g.where(node) + " reads an unknown tensor", "a tensor of the graph");
    if (!made[static_cast<std::size_t>(v)])
      return Error{g.where(node), "reads '" + g.value(v).name + "', which nothing makes before it",
                   "an input, a constant or an earlier node's output", ""};
  }
  for (const ValueId v : node.outputs) {
    if (v == no_id) continue;
    if (!in_range(g, v))
      return broken(g, g.where(node) + " makes an unknown tensor", "a tensor of the graph");
    if (made[static_cast<std::size_t>(v)])
      return Error{g.where(node), "makes '" + g.value(v).name + "' a second time",
                   "one maker per tensor", ""};
    made[static_cast<std::size_t>(v)] = true;
  }
  return {};
}

}  // namespace

Result<void> verify(const Graph& g) {
  std::unordered_set<std::string_view> names;
  std::vector<bool> made(g.values().size(), false);
  for (std::size_t i = 0; i < g.values().size(); ++i) {
    const Value& v = g.values()[i];
    if (!names.insert(v.name).second)
      return broken(g, "two tensors named '" + v.name + "'", "unique names");
    LOCKSTEP_CHECK(verify_value(g, v));
    made[i] = v.constant != nullptr;
  }
  for (const ValueId v : g.inputs()) {
    if (!in_range(g, v)) return broken(g, "an input that is no tensor", "a tensor of the graph");
    made[static_cast<std::size_t>(v)] = true;
  }
  for (const State& s : g.states()) {
    if (!in_range(g, s.in) || !in_range(g, s.out))
      return broken(g, "a state that is no tensor", "a tensor");
    const Value& in = g.value(s.in);
    const Value& out = g.value(s.out);
    if (in.dtype != out.dtype || in.shape != out.shape ||
        (s.initial && (s.initial->dtype() != in.dtype || s.initial->shape() != in.shape)))
      return broken(g, "state '" + in.name + "' that changes its type or shape",
                    "the same before and after a run");
    made[static_cast<std::size_t>(s.in)] = true;
  }
  std::unordered_set<std::string_view> node_names;
  for (const Node& node : g.nodes()) {
    if (!node_names.insert(node.name).second)
      return broken(g, "two nodes named '" + node.name + "'", "unique names");
    LOCKSTEP_CHECK(verify_node(g, node, made));
  }
  for (const ValueId v : g.outputs())
    if (!in_range(g, v) || !made[static_cast<std::size_t>(v)])
      return broken(g,
                    "output '" + (in_range(g, v) ? g.value(v).name : "?") + "' is made by nothing",
                    "an output of some node");
  return {};
}

}  // namespace lockstep
