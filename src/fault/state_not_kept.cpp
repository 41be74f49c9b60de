// s'(run) = s(0): what should come from the run before is the initial state again.
#include <algorithm>

#include "fault/fault_eval.h"
#include "fault/fault_nodes.h"

namespace lockstep {
namespace {

const State* state_at(const Site& site, std::size_t input) {
  for (const State& s : site.graph().states())
    if (s.in == site.view().node.inputs[input]) return &s;
  return nullptr;
}

bool applies(const Site& site) {
  if (site.node == no_id || site.view().node.outputs[0] == no_id) return false;
  for (std::size_t i = 0; i < site.view().input_count(); ++i)
    if (state_at(site, i)) return true;
  return false;
}

Result<void> replay(Replay& r) {
  ChangedNode node(r);
  for (std::size_t i = 0; i < node.input_count(); ++i) {
    const State* state = state_at(r.site, i);
    if (!state || !node.has_input(i)) continue;
    Tensor& x = node.changed(i);
    const Value& v = node.input(i);
    if (state->initial)
      x = *state->initial;
    else
      for (std::int64_t k = 0; k < x.count(); ++k)
        if (is_coded(v))
          x.set_code(k, v.quant.zero_at(0));
        else
          x.set_number(k, 0);
  }
  return node.eval_into(r);
}

std::vector<Params> candidates(const Site& site, const Evidence& evidence) {
  return best_sets(site, evidence, {Params{}}, replay);
}

}  // namespace

extern constinit const FaultDef fault_state_not_kept = {
    .name = "state-not-kept",
    .claim = "the state is the initial one in every run: it is not fed back",
    .advice =
        "copy the state outputs to the state inputs after every run, or give both one buffer\n"
        "compare a run with the reference's run before and after: a state may also be late by one",
    .stage = Stage::node,
    .applies = applies,
    .candidates = candidates,
    .replay = replay,
};

}  // namespace lockstep
