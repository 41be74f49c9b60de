// y'(run) = y(run - 1): what the node made in the run before is read again; in the first run its
// own, or memory that nobody wrote.
#include <algorithm>

#include "fault/fault.h"

namespace lockstep {
namespace {

constexpr ParamSpec params[] = {
    {"first", "in the very first run: 0: its own output; 1: bytes of zero", 0, Takes::flag()}};

bool applies(const Site& site) {
  return site.node != no_id && site.view().node.outputs[0] != no_id;
}

bool is_blank(const Tensor& t) {
  return std::ranges::all_of(t.bytes(), [](std::byte b) { return b == std::byte{0}; });
}

std::vector<Params> candidates(const Site&, const Evidence& evidence) {
  const bool shows = std::ranges::any_of(evidence.items, [](const Evidence::Item& item) {
    return item.previous && item.expected && !(*item.previous == *item.expected);
  });
  if (!shows) return {};  // one run, or equal runs: it could not show
  const Evidence::Item& first = evidence.items[0];
  if (first.observed && !is_blank(*first.observed)) return {Params{}};
  return {Params{}, Params{{"first", 1}}};
}

Result<void> replay(Replay& r) {
  if (r.run == 0 && param(params, r.params, "first") != 0)
    std::ranges::fill(r.out[0].bytes(), std::byte{0});
  else if (r.previous && r.previous->count() == r.out[0].count())
    r.out[0] = *r.previous;
  return {};
}

}  // namespace

extern constinit const FaultDef fault_stale_output = {
    .name = "stale-output",
    .claim =
        "the output is the one of the previous run{first?0:|1:, in the first run what the memory "
        "held: bytes of zero}",
    .advice =
        "invalidate the cache lines of the buffer before the CPU reads it, and align it to 32 "
        "bytes\n"
        "read only after the completion event; look for a second buffer whose address is used in "
        "turn",
    .stage = Stage::node,
    .params = params,
    .applies = applies,
    .candidates = candidates,
    .replay = replay,
    .shows = OutputOf::run_before,
};

}  // namespace lockstep
