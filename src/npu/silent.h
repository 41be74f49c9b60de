#pragma once

#include <string>
#include <vector>

#include "ir/graph.h"
#include "run/capture.h"

namespace lockstep {

// Which sums of a convolution are zero because every feature under the kernel is: nothing is
// rounded on their way. By code of its output, channels first; empty where the layer is no
// convolution of one image of recorded codes.
std::vector<bool> silent_sums(const Graph& model, const std::string& node, const Sample& tensors);

}  // namespace lockstep
