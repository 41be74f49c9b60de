#pragma once

#include <string>

#include "npu/epoch.h"
#include "npu/program.h"

namespace lockstep {

// Operations of the run-time library that move data, and Cast: LL_ATON_LIB_*.
bool is_npu_move(const NpuCall& call);
Result<void> run_npu_move(const NpuEpoch& epoch, const NpuCall& call, NpuMemory& memory,
                          NpuCounts& counts, const std::string& where);

}  // namespace lockstep
