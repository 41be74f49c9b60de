#pragma once

#include <span>
#include <string>
#include <vector>

#include "arith/arith.h"
#include "ir/graph.h"
#include "link/device.h"

namespace lockstep {

// The validation protocol carries names of 63 characters. For each tensor of a run (in the device's
// order) the model's whole name where the device's was cut there and one name fits: within tensors
// of equal type and element count that begin alike, device and model must hold as many, and are
// taken in order. Otherwise the device's own name.
std::vector<std::string> whole_names(std::span<const DeviceTensor* const> tensors,
                                     const Graph& model, const Arithmetic& arithmetic);

}  // namespace lockstep
