// y' = the output with the bytes of every word in reverse.
#include "fault/fault_nodes.h"

namespace lockstep {
namespace {

constexpr ParamSpec params[] = {{"width", "bytes of a word: 2 or 4; 0: the output's own element, or 4 for bytes", 0}};

bool applies(const Site& site) { return site.node != no_id && site.view().node.outputs[0] != no_id; }

Result<void> replay(Replay& r) {
  auto width = static_cast<std::int64_t>(param(params, r.params, "width"));
  if (width == 0) width = size_of(r.out[0].dtype()) > 1 ? static_cast<std::int64_t>(size_of(r.out[0].dtype())) : 4;
  if (width < 2 || width > 8) return Error{"fault byte-order", "width " + std::to_string(width), "2 .. 8 bytes", ""};
  swap_bytes(r.out[0], width);
  return {};
}

std::vector<Params> candidates(const Site& site, const Evidence& evidence) {
  return best_sets(site, evidence, {{{"width", 2}}, {{"width", 4}}, {{"width", 8}}}, replay, 1);
}

}  // namespace

extern constinit const FaultDef fault_byte_order = {
    .name = "byte-order",
    .claim = "the bytes of every {width}-byte word of the output are reversed",
    .advice = "check the word size of the transfer that moves this buffer (DMA, bus bridge, external memory)",
    .stage = Stage::node,
    .params = params,
    .applies = applies,
    .candidates = candidates,
    .replay = replay,
};

}  // namespace lockstep
