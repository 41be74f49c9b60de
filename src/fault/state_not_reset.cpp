// s'(0) = what runs before the first one left: the state that a stream starts with is not the
// initial one.
#include <algorithm>

#include "fault/fault_eval.h"
#include "fault/fault_nodes.h"
#include "fault/fault_state.h"
#include "fault/fault_work.h"
#include "run/planned_run.h"

namespace lockstep {
namespace {

constexpr ParamSpec params[] = {
    {"on", "what came before was on: 0: the same input; 1: zeros; 2: bytes of zero", 0,
     Takes::up_to(2)},
    {"runs", "how many runs came before", 1, Takes::between(1, 16)},
};

bool applies(const Site& site) {
  return reads_state(site) && !site.graph().inputs().empty();
}

std::vector<ValueId> reads(const Site& site, const Params&) {
  const auto inputs = site.graph().inputs();
  return {inputs.begin(), inputs.end()};
}

Tensor zeros(const Value& v, bool bytes) {
  Tensor x(v.dtype, v.shape);
  for (std::int64_t i = 0; i < x.count() && is_coded(v) && !bytes; ++i)
    x.set_code(i, v.quant.zero_at(0));
  return x;
}

// All inputs of a run that came before.
Result<Sample> inputs_before(const Replay& r) {
  const Graph& g = r.site.graph();
  const double on = param(params, r.params, "on");
  Sample sample;
  for (const ValueId id : g.inputs()) {
    const Tensor* same = on == 0 && r.find ? r.find(id) : nullptr;
    if (on == 0 && !same)
      return Error{"fault state-not-reset", "input '" + g.value(id).name + "' is not at hand",
                   "what was fed in the first run", ""};
    sample.emplace(g.value(id).name, same ? *same : zeros(g.value(id), on == 2));
  }
  return sample;
}

// The states that those runs leave, by the name under which the next run reads them.
Result<Sample> states_after(const Replay& r) {
  const Graph& g = r.site.graph();
  LOCKSTEP_TRY(const Sample inputs, inputs_before(r));
  std::vector<std::string> left;
  for (const State& s : g.states()) left.push_back(g.value(s.out).name);
  double work = 0;
  for (const Node& n : g.nodes()) work += node_work({g, n}, products_by_kernel);
  Sample states;
  const auto runs = static_cast<int>(param(params, r.params, "runs"));
  for (int run = 0; run < runs; ++run) {
    if (!spend(work))
      return Error{g.file(), "more work than a proposal may do", "a smaller network", ""};
    Sample known = inputs;
    known.insert(states.begin(), states.end());
    LOCKSTEP_TRY(Sample made, r.site.reference.run_from(known, left));
    for (const State& s : g.states())
      states.insert_or_assign(g.value(s.in).name, made.at(g.value(s.out).name));
  }
  return states;
}

// Where a run begins with the initial state, the device's begins with another.
Result<void> replay(Replay& r) {
  const Graph& g = r.site.graph();
  ChangedNode node(r);
  std::vector<std::size_t> fresh;
  for (std::size_t i = 0; i < node.input_count(); ++i)
    if (const State* state = state_at(r.site, i);
        state && node.has_input(i) && node.contents(i) == initial_state(g, *state))
      fresh.push_back(i);
  if (fresh.empty()) return {};
  LOCKSTEP_TRY(const Sample states, states_after(r));
  for (const std::size_t i : fresh)
    node.changed(i) = states.at(g.value(state_at(r.site, i)->in).name);
  return node.eval_into(r);
}

std::vector<Params> candidates(const Site& site, const Evidence& evidence) {
  std::vector<Params> sets;
  for (const double runs : {1.0, 2.0})
    for (const double on : {0.0, 1.0, 2.0}) sets.push_back({{"on", on}, {"runs", runs}});
  return best_sets(site, evidence, std::move(sets), replay);
}

}  // namespace

extern constinit const FaultDef fault_state_not_reset = {
    .name = "state-not-reset",
    .claim =
        "the first run does not begin with the initial state: {runs#run} on {on?0:the same "
        "input|1:zeros|2:bytes of zero} came before",
    .advice =
        "reset the state before the first sample of a stream: a run to warm up leaves its own\n"
        "feed the same runs to the reference (--state keep, with what came before as first "
        "samples)",
    .stage = Stage::node,
    .params = params,
    .applies = applies,
    .candidates = candidates,
    .replay = replay,
    .reads = reads,
};

}  // namespace lockstep
