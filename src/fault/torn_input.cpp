// x'[i] = x[i] up to a point, x(run - 1)[i] from there on: the transfer of the input has not ended.
#include "fault/fault_tear.h"

namespace lockstep {
namespace {

constexpr ParamSpec params[] = {{"at", "share of the input that is new", 0.5, Takes::share()}};

bool applies(const Site& site) {
  return site.input != no_id;
}
std::vector<Params> candidates(const Site&, const Evidence& evidence) {
  return torn(evidence);
}
std::vector<Params> fit(const Site& site, const Evidence& evidence, const Misfit& misfit) {
  if (evidence.items.size() < 2) return {};
  return fit_tear(count_of(site.graph().value(site.input).shape), misfit);
}

Result<void> replay(Replay& r) {
  tear(r, param(params, r.params, "at"));
  return {};
}

}  // namespace

extern constinit const FaultDef fault_torn_input = {
    .name = "torn-input",
    .claim = "the end of the input still belongs to the run before",
    .advice =
        "start the network after the transfer of the input has completed\n"
        "use two buffers, one being filled and one being read",
    .stage = Stage::input,
    .params = params,
    .applies = applies,
    .candidates = candidates,
    .replay = replay,
    .fit = fit,
};

}  // namespace lockstep
