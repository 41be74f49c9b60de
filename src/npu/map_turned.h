#pragma once

#include "npu/map.h"

namespace lockstep {

// Leaves out of the mapping what a Transpose of the library holds with its axes in another order
// than its table lets one think (extents alike): the call is run and its elements are followed.
void drop_turned(const NpuProgram& program, NpuMapping& map);

}  // namespace lockstep
