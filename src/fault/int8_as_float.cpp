// y'[i] = bytes 4 i .. 4 i + 3 of the codes taken as a float32: the type boundary is missed.
#include <algorithm>
#include <cstring>

#include "fault/fault_nodes.h"

namespace lockstep {
namespace {

bool applies(const Site& site) {
  if (site.node == no_id || site.view().node.op != "DequantizeLinear") return false;
  const NodeView n = site.view();
  return size_of(n.input(0).dtype) == 1 && n.output(0).dtype == DType::f32 &&
         !n.input(0).constant && count_of(n.input(0).shape) >= 4;
}

// Beyond the codes lie zeros.
Result<void> replay(Replay& r) {
  const auto from = r.in[0]->bytes();
  const auto to = r.out[0].bytes();
  std::ranges::fill(to, std::byte{0});
  std::memcpy(to.data(), from.data(), std::min(from.size(), to.size()));
  return {};
}

std::vector<Params> candidates(const Site& site, const Evidence& evidence) {
  return best_sets(site, evidence, {Params{}}, replay);
}

}  // namespace

extern constinit const FaultDef fault_int8_as_float = {
    .name = "int8-as-float",
    .claim = "bytes of codes are read as float32 words",
    .advice =
        "keep the graph in int8 to its end and dequantize in the application\n"
        "count words such as 0x80808080 and NaN in the float buffer: they betray the boundary",
    .stage = Stage::node,
    .applies = applies,
    .candidates = candidates,
    .replay = replay,
};

}  // namespace lockstep
