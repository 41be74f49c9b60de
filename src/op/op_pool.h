#pragma once

#include "op/op_codes.h"
#include "op/op_window.h"

namespace lockstep {

// What the poolings share: the window (attribute kernel_shape), the shape rule, TFLite's options.

Result<Window> pool_window(const NodeView& n);
Result<std::vector<Facts>> pool_facts(const NodeView& n);
Result<void> pool_from_tflite(const ForeignNode& f, GraphBuilder& graph, std::string op);

}  // namespace lockstep
