#pragma once

#include <vector>

#include "ir/graph.h"
#include "num/resize.h"

namespace lockstep {

// The elements that each place of each axis of a Resize's output is made of, with their weights;
// none where it lies beside the input.
Result<std::vector<std::vector<std::vector<Tap>>>> resize_taps(const NodeView& node);

}  // namespace lockstep
