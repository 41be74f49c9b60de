#pragma once

#include "op/op_codes.h"
#include "op/op_window.h"

namespace lockstep {

// What the poolings share: the window (attribute kernel_shape), the shape rule, TFLite's options.

Result<Window> pool_window(const NodeView& n);
Result<std::vector<Facts>> pool_facts(const NodeView& n);
// Error: an ONNX pooling whose pads are not all below its extents: no runtime takes it.
Result<void> pads_within_window(const ForeignNode& f);
// N39: whether an average of floats is left to the runtime's matrix library (Numerics'
// window_mean): it knows no dilation, and no windows that hang over where padding counts.
bool averages_by_library(const NodeView& n, const Numerics& num, const Window& w);
// The problem for it, without planes, x and y.
WindowMeanProblem window_mean_problem(const NodeView& n, const Window& w);
Result<void> pool_from_tflite(const ForeignNode& f, GraphBuilder& graph, std::string op);

}  // namespace lockstep
