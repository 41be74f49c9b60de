#pragma once

#include "ir/patch.h"

namespace lockstep {

// The model in reals: every coded tensor becomes float32, constants by their scale and zero point,
// computed ones held inside the range that their codes could say. Names stay. Inputs of the graph
// stay codes and are dequantized before the first node.
Result<Patch> dequantize_graph(const Graph& graph);

}  // namespace lockstep
