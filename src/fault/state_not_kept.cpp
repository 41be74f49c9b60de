// s'(run) = s(0): what should come from the run before is the initial state again.
#include "fault/fault_eval.h"
#include "fault/fault_nodes.h"
#include "fault/fault_state.h"
#include "run/planned_run.h"

namespace lockstep {
namespace {

Result<void> replay(Replay& r) {
  ChangedNode node(r);
  for (std::size_t i = 0; i < node.input_count(); ++i)
    if (const State* state = state_at(r.site, i); state && node.has_input(i))
      node.changed(i) = initial_state(r.site.graph(), *state);
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
    .applies = reads_state,
    .candidates = candidates,
    .replay = replay,
};

}  // namespace lockstep
