#pragma once

#include <vector>

#include "ir/graph.h"
#include "num/resize.h"
#include "op/op_foreign.h"

namespace lockstep {

// ONNX's Resize and Upsample of any opset as a Resize of known extents.
Result<void> resize_from_onnx(const ForeignNode& f, GraphBuilder& graph);

// The elements that each place of each axis of a Resize's output is made of, with their weights;
// none where it lies beside the input.
Result<std::vector<std::vector<std::vector<Tap>>>> resize_taps(const NodeView& node);

}  // namespace lockstep
