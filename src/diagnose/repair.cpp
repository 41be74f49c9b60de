#include <algorithm>

#include "diagnose/judge.h"
#include "diff/local.h"

namespace lockstep {
namespace {

// Values that depend on one of `roots`.
std::vector<bool> downstream(const Graph& g, const std::vector<ValueId>& roots) {
  std::vector<bool> reached(g.values().size(), false);
  for (const ValueId v : roots) reached[static_cast<std::size_t>(v)] = true;
  for (const Node& node : g.nodes()) {
    const bool reads = std::ranges::any_of(
        node.inputs, [&](ValueId v) { return v != no_id && reached[static_cast<std::size_t>(v)]; });
    for (const ValueId v : node.outputs)
      if (v != no_id && reads) reached[static_cast<std::size_t>(v)] = true;
  }
  return reached;
}

}  // namespace

Reach reach_of(const Case& c, const Verdict& v) {
  Reach reach;
  const Explanation* cause = v.suspects.empty() ? nullptr : v.suspects[0].cause();
  if (!cause) return reach;
  const Graph& g = c.reference.graph();
  const NodeId node = g.find_node(cause->site);
  if (cause->fault->stage == Stage::input || node == no_id) return reach;
  reach.op = g.node(node).op;
  for (std::size_t n = 0; n < g.nodes().size(); ++n) {
    const Site site{c.reference, static_cast<NodeId>(n), no_id};
    if (g.nodes()[n].op != reach.op || !cause->fault->applies(site)) continue;
    ++reach.of_kind;
    reach.showing += std::ranges::any_of(v.suspects, [&](const Suspect& s) {
      return s.cause() && s.cause()->fault == cause->fault && s.cause()->site == g.nodes()[n].name;
    });
  }
  return reach;
}

// The device's tensors before the repaired operations stay; what stands after them is computed again
// by the reference. Suspects without a cause are repaired too only when they stand downstream: the
// figure is then about all of them, which the caller says.
Result<std::vector<Repair>> replay_repair(const Case& c, const Verdict& v) {
  std::vector<Repair> repairs;
  const Graph& g = c.reference.graph();
  std::vector<ValueId> roots;
  for (const Suspect& s : v.suspects)
    if (s.cause()) roots.push_back(v.comparison.rows[s.row].value);
  if (roots.empty()) return repairs;
  const std::vector<bool> after = downstream(g, roots);
  const std::vector<bool> of_inputs = downstream(g, {g.inputs().begin(), g.inputs().end()});
  for (const ValueId output : g.outputs()) {
    const Value& value = g.value(output);
    if (!after[static_cast<std::size_t>(output)]) continue;
    const QuantParams step = step_of(g, output);
    Meter before, repaired;
    bool known = false;
    for (std::size_t s = 0; s < c.recorded.device.size(); ++s) {
      const auto expected = c.recorded.expected[s].find(value.name);
      if (expected == c.recorded.expected[s].end()) continue;
      Sample kept = c.recorded.sent.size() > s ? c.recorded.sent[s] : Sample{};
      for (const auto& [name, tensor] : c.recorded.device[s]) {
        const ValueId id = g.find_value(name);
        if (id != no_id && !after[static_cast<std::size_t>(id)]) kept.insert_or_assign(name, tensor);
      }
      const std::string wanted[] = {value.name};
      LOCKSTEP_TRY(const Sample made, c.reference.run_from(kept, wanted));
      LOCKSTEP_CHECK(repaired.add(expected->second, step, made.at(value.name), step));
      if (const auto it = c.recorded.device[s].find(value.name); it != c.recorded.device[s].end()) {
        LOCKSTEP_CHECK(before.add(expected->second, step, it->second, step));
        known = true;
      }
    }
    const Metrics m = repaired.metrics();
    if (m.count == 0) continue;
    repairs.push_back({value.name, known ? before.metrics().cosine : -2, m.cosine, m.max_lsb, m.has_lsb});
  }
  return repairs;
}

}  // namespace lockstep
