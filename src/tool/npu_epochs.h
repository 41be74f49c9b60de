#pragma once

#include "ir/graph.h"
#include "npu/map.h"
#include "npu/side_files.h"

namespace lockstep {

// A line for each epoch: its nodes, the tensors that it makes, cycles and addresses; why it is the
// CPU's.
void print_npu_epochs(const NpuProgram& program, const NpuSideFiles& side,
                      const NpuMapping& mapping, const Graph& model);

}  // namespace lockstep
