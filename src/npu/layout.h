#pragma once

#include <string>
#include <vector>

#include "ir/quant.h"
#include "npu/memory.h"

namespace lockstep {

// Buffers lie in memory as [1,C,H,W] (CHPos_First), [1,H,W,C] (Last) or [1,C/b,H,W,b] (Mixed);
// tensors of the user's file mostly as [1,C,H,W]. Everything outside the memory uses that order
// here.

// Position in memory of each element in [1,C,H,W] order; identity for First and UNDEFINED.
std::vector<std::int64_t> memory_order(const NpuBuffer& buffer);

// [1,C,H,W] for 4-dimensional buffers, the memory's own shape for First and UNDEFINED.
Shape plain_shape(const NpuBuffer& buffer);

DType dtype_of(const NpuBuffer& buffer);  // DataType_INT8 -> int8; DataType_FXP by width and sign
QuantParams quant_of(const NpuBuffer& buffer);

// True when the buffer's bytes hold the whole tensor: a stream that reuses one frame's place does
// not.
bool is_whole(const NpuBuffer& buffer);

// The buffer as a tensor of plain_shape. Errors: outside the memory, never written.
Result<Tensor> read_buffer(const NpuBuffer& buffer, const NpuMemory& memory,
                           const std::string& who);
// `tensor` in plain order, as many elements; codes or floats as the buffer holds them.
Result<void> write_buffer(const NpuBuffer& buffer, const Tensor& tensor, NpuMemory& memory,
                          const std::string& who);

}  // namespace lockstep
