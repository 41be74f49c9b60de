#include <algorithm>

#include "diagnose/judge.h"
#include "diagnose/scope.h"
#include "diff/local.h"

namespace lockstep {
namespace {

// Values that depend on one of `roots`; a state that does makes what reads it in the next run
// depend too.
std::vector<bool> downstream(const Graph& g, const std::vector<ValueId>& roots, StateMode mode) {
  std::vector<bool> reached(g.values().size(), false);
  const auto at = [&](ValueId v) -> std::vector<bool>::reference {
    return reached[static_cast<std::size_t>(v)];
  };
  for (const ValueId v : roots) at(v) = true;
  for (bool more = true; more;) {
    for (const Node& node : g.nodes()) {
      const bool reads =
          std::ranges::any_of(node.inputs, [&](ValueId v) { return v != no_id && at(v); });
      for (const ValueId v : node.outputs)
        if (v != no_id && reads) at(v) = true;
    }
    more = false;
    if (mode == StateMode::keep)
      for (const State& s : g.states())
        if (at(s.out) && !at(s.in)) at(s.in) = more = true;
  }
  return reached;
}

// What was wrong, and every other operation of the cause's scope.
std::vector<ValueId> repaired_values(const Graph& g, const Verdict& v) {
  std::vector<ValueId> roots;
  for (const Suspect& s : v.suspects)
    if (s.cause()) roots.push_back(v.comparison.rows[s.row].value);
  for (const FaultSpec& spec : believed(v)) {
    const NodeId n = spec.fault->stage == Stage::node ? g.find_node(spec.node) : no_id;
    if (n != no_id)
      for (const ValueId y : g.node(n).outputs)
        if (y != no_id && std::ranges::find(roots, y) == roots.end()) roots.push_back(y);
  }
  return roots;
}

// Every sample with the device's tensors that stand before the repair; the rest is computed again,
// and a state that is fed back is the repaired one of the run before.
Result<std::vector<Sample>> repaired_runs(const Case& c, const std::vector<bool>& after) {
  const Graph& g = c.reference.graph();
  const bool fed_back = c.recorded.state == StateMode::keep;
  std::vector<std::string> wanted;
  for (const ValueId output : g.outputs())
    if (after[static_cast<std::size_t>(output)]) wanted.push_back(g.value(output).name);
  if (fed_back)
    for (const State& state : g.states()) wanted.push_back(g.value(state.out).name);
  std::vector<Sample> runs;
  for (std::size_t s = 0; s < c.recorded.device.size(); ++s) {
    Sample kept = c.recorded.sent.size() > s ? c.recorded.sent[s] : Sample{};
    for (const auto& [name, tensor] : c.recorded.device[s]) {
      const ValueId id = g.find_value(name);
      if (id != no_id && !after[static_cast<std::size_t>(id)]) kept.insert_or_assign(name, tensor);
    }
    if (fed_back && s > 0)
      for (const State& state : g.states())
        kept.insert_or_assign(g.value(state.in).name, runs.back().at(g.value(state.out).name));
    LOCKSTEP_TRY(runs.emplace_back(), c.reference.run_from(kept, wanted));
  }
  return runs;
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

// The device's tensors before the repaired operations stay; what stands after them is computed
// again by the reference. Suspects without a cause are repaired too only when they stand
// downstream: the figure is then about all of them, which the caller says.
Result<std::vector<Repair>> replay_repair(const Case& c, const Verdict& v) {
  std::vector<Repair> repairs;
  const Graph& g = c.reference.graph();
  const std::vector<ValueId> roots = repaired_values(g, v);
  if (roots.empty()) return repairs;
  const std::vector<bool> after = downstream(g, roots, c.recorded.state);
  LOCKSTEP_TRY(const std::vector<Sample> made, repaired_runs(c, after));
  for (const ValueId output : g.outputs()) {
    const Value& value = g.value(output);
    if (!after[static_cast<std::size_t>(output)]) continue;
    const QuantParams step = step_of(g, output);
    Meter before, repaired;
    bool known = false;
    for (std::size_t s = 0; s < c.recorded.device.size(); ++s) {
      const auto expected = c.recorded.expected[s].find(value.name);
      if (expected == c.recorded.expected[s].end()) continue;
      LOCKSTEP_CHECK(repaired.add(expected->second, step, made[s].at(value.name), step));
      if (const auto it = c.recorded.device[s].find(value.name); it != c.recorded.device[s].end()) {
        LOCKSTEP_CHECK(before.add(expected->second, step, it->second, step));
        known = true;
      }
    }
    const Metrics m = repaired.metrics();
    if (m.count == 0) continue;
    repairs.push_back(
        {value.name, known ? before.metrics().cosine : -2, m.cosine, m.max_lsb, m.has_lsb});
  }
  return repairs;
}

}  // namespace lockstep
