// y'(run) = y(run - 1): what the node made in the run before is read again.
#include "fault/fault.h"

namespace lockstep {
namespace {

bool applies(const Site& site) {
  return site.node != no_id && site.view().node.outputs[0] != no_id;
}

std::vector<Params> candidates(const Site&, const Evidence& evidence) {
  for (const Evidence::Item& item : evidence.items)
    if (item.previous && item.expected && !(*item.previous == *item.expected)) return {Params{}};
  return {};  // one run, or equal runs: it could not show
}

Result<void> replay(Replay& r) {
  if (r.previous && r.previous->count() == r.out[0].count()) r.out[0] = *r.previous;
  return {};
}

}  // namespace

extern constinit const FaultDef fault_stale_output = {
    .name = "stale-output",
    .claim = "the output is the one of the previous run",
    .advice =
        "invalidate the cache lines of the buffer before the CPU reads it, and align it to 32 "
        "bytes\n"
        "read only after the completion event; look for a second buffer whose address is used in "
        "turn",
    .stage = Stage::node,
    .applies = applies,
    .candidates = candidates,
    .replay = replay,
    .shows = OutputOf::run_before,
};

}  // namespace lockstep
