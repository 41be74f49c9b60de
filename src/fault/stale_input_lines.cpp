// x'[L] = x(run - 1)[L] on some aligned cache lines L: the CPU's writes have not reached memory.
#include "fault/fault_runs.h"

namespace lockstep {
namespace {

constexpr ParamSpec params[] = {
    {"share", "probability that a line is stale", 0.3, Takes::share()},
    {"line", "bytes of a cache line", 32},
    {"seed", "which lines", 1},
    {"shown", "0: the line holds what was sent a run earlier; 1: what the device had a run earlier",
     0, Takes::flag()},
};

bool applies(const Site& site) {
  return site.input != no_id;
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
    return Error{"fault stale-input-lines", "line " + std::to_string(line), "at least one byte",
                 ""};
  make_stale(r, static_cast<std::int64_t>(line), param(params, r.params, "share"),
             param(params, r.params, "seed"));
  return {};
}

}  // namespace

extern constinit const FaultDef fault_stale_input_lines = {
    .name = "stale-input-lines",
    .claim =
        "whole cache lines of the input are {shown?0:those that were sent for the run "
        "before|1:those that the device had in the run before}",
    .advice =
        "clean (not only invalidate) the input's cache lines after the CPU has written it\n"
        "align the buffer to 32 bytes and round its size up; count the size in bytes, not in "
        "elements",
    .stage = Stage::input,
    .params = params,
    .applies = applies,
    .candidates = candidates,
    .replay = replay,
    .fit = fit,
};

}  // namespace lockstep
