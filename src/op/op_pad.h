#pragma once

#include <vector>

#include "op/op.h"

namespace lockstep {

// What a Pad adds to an axis; negative cuts.
struct PadEnds {
  std::int64_t begin = 0, end = 0;
};

// By axis of x. Errors: an axis out of range, another number of pads than two per axis.
Result<std::vector<PadEnds>> pad_ends(const NodeView& pad);
// What a Pad of mode constant writes; `value`: the contents of its input of that name, or null.
Tensor pad_element(const NodeView& pad, const Tensor* value);

}  // namespace lockstep
