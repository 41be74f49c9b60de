// y'(run) = y(0): the output of the very first run is read in every run.
#include "fault/fault.h"

namespace lockstep {
namespace {

bool applies(const Site& site) {
  return site.node != no_id && site.view().node.outputs[0] != no_id;
}

std::vector<Params> candidates(const Site&, const Evidence& evidence) {
  for (const Evidence::Item& item : evidence.items)
    if (item.first && item.expected && !(*item.first == *item.expected)) return {Params{}};
  return {};
}

Result<void> replay(Replay& r) {
  if (r.first && r.first->count() == r.out[0].count()) r.out[0] = *r.first;
  return {};
}

}  // namespace

extern constinit const FaultDef fault_frozen_output = {
    .name = "frozen-output",
    .claim = "the output is the one of the very first run",
    .advice =
        "ask for the output address after initialization and set it before every run\n"
        "check that the operation runs again: completion flags, context that is marked as "
        "initialized",
    .stage = Stage::node,
    .applies = applies,
    .candidates = candidates,
    .replay = replay,
    .shows = OutputOf::first_run,
};

}  // namespace lockstep
