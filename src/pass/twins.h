#pragma once

#include "ir/graph.h"

namespace lockstep {

// Equal chains are followed so far; longer ones are called different.
inline constexpr int longest_twins = 1000;

// Whether another node computes the same value from the same operands, so that the runtime, which
// merges such nodes, has one value with the readers of both. Constants of a single element count as
// the same when they are equal, others only when they are one.
bool has_twin(const Graph& graph, ValueId value);

}  // namespace lockstep
