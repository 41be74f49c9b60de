#pragma once

#include <functional>

#include "fault/fault_eval.h"
#include "op/op_window.h"

namespace lockstep {

// The window of a Conv or pooling node as it is; an error where it has none.
Result<Window> window_at(const NodeView& n);
// Gives the node another window over the same output grid: `begin` elements of padding before each
// of the spatial axes (negative: the input is cropped) and `dilations` between taps. Padding is
// written into the contents of input 0 as `pad_code`, so that the operator itself pads nothing;
// `outside`, where given, says which place of the input's plane is read for one beyond its edge
// (-1: padding).
using Outside = std::function<std::int64_t(const Window::Axes& at)>;
void set_window(ChangedNode& node, const Window& from, const Window::Axes& begin,
                const Window::Axes& dilations, std::int64_t pad_code, const Outside& outside = {});

}  // namespace lockstep
