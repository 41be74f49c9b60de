#pragma once

#include "npu/audit.h"

namespace lockstep {

// The audit where a file beside the program says the original tensors by the compiler's names.
Result<std::vector<NpuFinding>> audit_npu(const NpuSimulator& simulator, const Graph* model,
                                          const NpuNames& names);

}  // namespace lockstep
