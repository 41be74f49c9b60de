#pragma once

#include <vector>

#include "fault/fault.h"

namespace lockstep {

// Another tensor of the same inference, named by the parameter `other`: its number in the graph, or
// -1 for the latest tensor made before the node that is none of its operands and holds at least
// `bytes`.
ValueId other_tensor(const Site& site, const Params& params, std::int64_t bytes);
// All that could lie in the way, nearest before the node first; nothing that is made from the
// node's outputs.
std::vector<ValueId> other_tensors(const Site& site, std::int64_t bytes);
// Its contents: an operand of the node, else through `find`; null when not at hand.
const Tensor* contents_of(const Replay& r, ValueId id);

}  // namespace lockstep
