// y'[i] = y[i] up to a point, y(run - 1)[i] from there on: the output was read before it was
// complete.
#include "fault/fault_tear.h"

namespace lockstep {
namespace {

constexpr ParamSpec params[] = {{"at", "share of the output that is new", 0.5, Takes::share()}};

bool applies(const Site& site) {
  return site.node != no_id && site.view().node.outputs[0] != no_id;
}
std::vector<Params> candidates(const Site&, const Evidence& evidence) {
  return torn(evidence);
}
std::vector<Params> fit(const Site& site, const Evidence& evidence, const Misfit& misfit) {
  if (evidence.items.size() < 2) return {};
  return fit_tear(count_of(site.view().output(0).shape), misfit);
}

Result<void> replay(Replay& r) {
  tear(r, param(params, r.params, "at"));
  return {};
}

}  // namespace

extern constinit const FaultDef fault_torn_output = {
    .name = "torn-output",
    .claim = "the end of the output still belongs to the run before",
    .advice =
        "wait for the completion event before the output is read\n"
        "check that nothing else clears or takes that event (interrupt mask, second task)",
    .stage = Stage::node,
    .params = params,
    .applies = applies,
    .candidates = candidates,
    .replay = replay,
    .fit = fit,
};

}  // namespace lockstep
