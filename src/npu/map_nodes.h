#pragma once

#include <string>
#include <vector>

#include "npu/map.h"

namespace lockstep {

// The model's operations whose results an epoch makes, by the tensors that its buffers hold: what
// stands before the quantizer. A copy of a tensor, or one without its zero point, has none.
std::vector<std::string> npu_nodes_of(const NpuProgram& program, int epoch,
                                      const NpuMapping& mapping, const Graph& model);

}  // namespace lockstep
