#pragma once

#include <string>
#include <string_view>

#include "npu/epoch.h"
#include "npu/program.h"

namespace lockstep {

// The CPU's operations as the generated C describes them: a structure of tensors (address, extents,
// strides, sign) and parameters. Null where the call has no such structure.
const NpuFields* described_call(const NpuEpoch& epoch, const NpuCall& call);

std::uint64_t described_address(const NpuFields& info,
                                std::string_view tensor);  // 0 where it is not there

// Floats follow the operation's formula in float32; integer kernels of the closed library their
// model, declared inexact by 1 LSB. Operations and parameters that are not known are refused by
// name.
Result<void> run_described(const NpuFields& info, const NpuCall& call, NpuMemory& memory,
                           NpuCounts& counts, const std::string& where);

}  // namespace lockstep
