// x'(run) = x(run - 1), or x(0) in every run: the network reads an earlier input.
#include "fault/fault.h"

namespace lockstep {
namespace {

constexpr ParamSpec params[] = {
    {"frozen", "0: the input of the run before; 1: the input of the very first run", 0}};

bool applies(const Site& site) {
  return site.input != no_id;
}

std::vector<Params> candidates(const Site&, const Evidence& evidence) {
  std::vector<Params> sets;
  for (const Evidence::Item& item : evidence.items) {
    if (item.in.empty() || !item.in[0]) continue;
    if (sets.empty() && item.previous && !(*item.previous == *item.in[0]))
      sets.push_back({{"frozen", 0}});
    if (sets.size() == 1 && item.first && !(*item.first == *item.previous))
      sets.push_back({{"frozen", 1}});
  }
  return sets;
}

Result<void> replay(Replay& r) {
  const Tensor* earlier = param(params, r.params, "frozen") != 0 ? r.first : r.previous;
  if (earlier && earlier->count() == r.out[0].count()) r.out[0] = *earlier;
  return {};
}

}  // namespace

extern constinit const FaultDef fault_stale_input = {
    .name = "stale-input",
    .claim =
        "the network computes with the input of {frozen?0:the run before|1:the very first "
        "run}",
    .advice =
        "clean the cache lines of the input after the CPU has written it\n"
        "ask for the input address before every run; look for a double buffer whose halves are "
        "swapped late",
    .stage = Stage::input,
    .params = params,
    .applies = applies,
    .candidates = candidates,
    .replay = replay,
};

}  // namespace lockstep
