#pragma once

#include <string>
#include <vector>

#include "npu/epoch.h"
#include "npu/memory.h"

namespace lockstep {

// A software epoch: the operations that the runtime library or the CPU performs. Data movement is
// exact; integer kernels of the closed library follow its model (nearest(acc * scale) + zero),
// float operations are computed in float32. An operation that is not known is refused by name.
Result<void> run_software_epoch(const NpuProgram& program, const NpuEpoch& epoch, NpuMemory& memory,
                                NpuCounts& counts);

// What a software operation reads and makes: buffers by name. The generated C says it in
// structures; the interchange form may not, then it is found by size: the latest tensor that fits.
struct NpuSoftwareIo {
  const NpuBuffer* in = nullptr;
  const NpuBuffer* out = nullptr;
  const NpuBuffer* weights = nullptr;
  const NpuBuffer* bias = nullptr;
};
Result<NpuSoftwareIo> software_io(const NpuProgram& program, const NpuEpoch& epoch);

bool is_cache_call(const NpuCall& call);
// The operation of a software epoch: "ll_sw_forward_softmax", "" for a hardware epoch.
std::string software_function(const NpuEpoch& epoch);

}  // namespace lockstep
