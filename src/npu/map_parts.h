#pragma once

#include <map>
#include <string>

#include "npu/map.h"

namespace lockstep {

// Buffers whose bytes are another buffer's, only moved: that one by the name of each.
using NpuMoves = std::map<std::string, std::string>;

// Tells parts of one tensor apart (Slice, Split), which scale and shape cannot: by the bytes of it
// that come to lie in each buffer. Parts that a file beside the program names stay; where two
// buffers would hold the same part, nothing is changed. What is only moved from one follows it.
void tell_parts_apart(const NpuProgram& program, const Graph& model, const NpuMoves& moves,
                      NpuMapping& map);

}  // namespace lockstep
