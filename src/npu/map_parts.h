#pragma once

#include "npu/map.h"

namespace lockstep {

// Tells parts of one tensor apart (Slice, Split), which scale and shape cannot: by the bytes of it
// that come to lie in each buffer. Parts that a file beside the program names stay; where two
// buffers would hold the same part, nothing is changed.
void tell_parts_apart(const NpuProgram& program, const Graph& model, NpuMapping& map);

}  // namespace lockstep
