// y' = the node's result without its activation clamp; for a Relu: y' = x.
#include <cstring>

#include "fault/fault.h"

namespace lockstep {
namespace {

bool applies(const Site& site) { return site.node != no_id && site.view().node.op == "Relu"; }

std::vector<Params> candidates(const Site&, const Evidence&) { return {Params{}}; }

Result<void> replay(Replay& r) {
  r.out[0] = r.in[0]->reshaped(r.out[0].shape());
  return {};
}

}  // namespace

extern constinit const FaultDef fault_clamp_lost = {
    .name = "clamp-lost",
    .claim = "the activation clamp is lost: values below the lower bound pass",
    .advice = "write the activation as an operator of its own (Relu or Clip) and check that the compiler keeps it",
    .stage = Stage::node,
    .applies = applies,
    .candidates = candidates,
    .replay = replay,
};

}  // namespace lockstep
