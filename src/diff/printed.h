#pragma once

#include <string>
#include <vector>

#include "ir/graph.h"
#include "run/capture.h"

namespace lockstep {

// Reals that a quantized network yields lie on a grid; where all that were recorded of a tensor lie
// beside it by a small share of a step, they went through a print of few digits: they are moved
// onto it, and sentences say so.
std::vector<std::string> restore_printed(const Graph& reference, std::vector<Sample>& device);

}  // namespace lockstep
