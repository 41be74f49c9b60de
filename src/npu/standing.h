#pragma once

#include <string_view>

#include "ir/graph.h"

namespace lockstep {

// How well the prediction of one operation from the model alone is founded. proven: reproduces
// captures of boards. inferred: reproduces compiled programs, or follows from their constants.
// assumed: another runtime's way, or one that nothing was compared with; no verdict rests on it.
enum class NpuStanding : unsigned char { proven, inferred, assumed };
std::string_view name_of(NpuStanding standing);

// Of a node of the graph as the arithmetic `neural-art` lowers it.
NpuStanding standing_of(const Graph& graph, const Node& node);

}  // namespace lockstep
