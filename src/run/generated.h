#pragma once

#include <cstdint>
#include <vector>

#include "ir/graph.h"
#include "run/capture.h"

namespace lockstep {

// Seeded inputs for a model when the user has none: codes over their whole range; floats over the
// range of the quantizer that reads them, else -1..1; other integers 0 or 1. The same on every
// machine.
std::vector<Sample> generated_inputs(const Graph& graph, int samples, std::uint64_t seed);

}  // namespace lockstep
