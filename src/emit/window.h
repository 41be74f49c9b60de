#pragma once

#include "emit/node.h"
#include "op/op_window.h"

namespace lockstep {

// Extents of a convolution's window, from its weights.
std::vector<std::int64_t> window_kernel(const NodeView& v);
// Window of at most two axes; the error of a third.
Result<Window> flat_window(const NodeWriter& w, const std::vector<std::int64_t>& kernel);
// The C initializer of an ls_window.
std::string window_text(const Window& g, std::int64_t outputs);

}  // namespace lockstep
