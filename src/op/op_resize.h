#pragma once

#include "op/op_foreign.h"

namespace lockstep {

// ONNX's Resize and Upsample of any opset as a Resize of known extents.
Result<void> resize_from_onnx(const ForeignNode& f, GraphBuilder& graph);

}  // namespace lockstep
