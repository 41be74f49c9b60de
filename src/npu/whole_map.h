#pragma once

#include "ir/graph.h"

namespace lockstep {

// Whether a ReduceMean goes over both axes of a map of four, and no other.
bool npu_over_the_map(const Graph& graph, const Node& mean);

}  // namespace lockstep
