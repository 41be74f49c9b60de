// y'[L] = y(run - 1)[L] on some aligned cache lines L of a node's output.
#include "fault/fault_runs.h"

namespace lockstep {
namespace {

constexpr ParamSpec params[] = {
    {"share", "probability that a line is stale", 0.3, Takes::share()},
    {"line", "bytes of a cache line", 32},
    {"seed", "which lines", 1},
    {"shown", "0: the line holds what was made a run earlier; 1: what was read a run earlier", 0,
     Takes::flag()},
};

bool applies(const Site& site) {
  return site.node != no_id && site.view().node.outputs[0] != no_id;
}

std::vector<Params> candidates(const Site&, const Evidence& evidence) {
  return stale_blocks(evidence, 32);
}

std::vector<Params> fit(const Site&, const Evidence& evidence, const Misfit& misfit) {
  return fit_blocks(evidence, 32, misfit);
}

Result<void> replay(Replay& r) {
  const double line = param(params, r.params, "line");
  if (!(line >= 1))
    return Error{"fault stale-lines", "line " + std::to_string(line), "at least one byte", ""};
  make_stale(r, static_cast<std::int64_t>(line), param(params, r.params, "share"),
             param(params, r.params, "seed"));
  return {};
}

}  // namespace

extern constinit const FaultDef fault_stale_lines = {
    .name = "stale-lines",
    .claim =
        "whole cache lines of the output are those {shown?0:made in the run before|1:read in "
        "the run before}",
    .advice =
        "invalidate the buffer's cache lines before the CPU reads what the accelerator wrote\n"
        "align the buffer to 32 bytes and round its size up, or make it non-cacheable",
    .stage = Stage::node,
    .params = params,
    .applies = applies,
    .candidates = candidates,
    .replay = replay,
    .fit = fit,
};

}  // namespace lockstep
