#pragma once

#include <map>
#include <string>
#include <vector>

#include "ir/graph.h"
#include "npu/program.h"

namespace lockstep {

// A buffer of the program and the tensor of the user's model that it holds.
struct NpuPair {
  std::string buffer;
  std::string value;
  std::string how;             // "name", "scale and shape", "scale, shape and order"
  bool channels_last = false;  // the value lies as [N,H,W,C], the buffer's plain order is [N,C,H,W]
};

struct NpuMapping {
  std::vector<NpuPair> pairs;         // in the order of the program's buffers
  std::vector<std::string> unmapped;  // activations of the program without a tensor, and why

  const NpuPair* find(std::string_view buffer) const;
};

// Original tensor names by the compiler's, from a *_Q.json where there is one.
using NpuNames = std::map<std::string, std::string, std::less<>>;

// Buffers that hold codes are matched by name where `names` has it, else by scale (1e-6) and
// element count, then by shape, then by order. Names that the compiler derives (_zero_off_,
// _cp_in_, _inserted_) count as their origin.
NpuMapping map_npu_buffers(const NpuProgram& program, const Graph& model,
                           const NpuNames& names = {});

// "Conv2D_49_zero_off_out_124_cp_in_12" -> "Conv2D_49_zero_off_out_124".
std::string without_copies(std::string_view buffer);

// Of every element of the buffer's plain order, its place in the model's tensor.
std::vector<std::int64_t> value_order(const NpuBuffer& buffer, const NpuPair& pair);

// The other way: the model's codes of a tensor, from what a buffer holds.
Tensor model_codes(const NpuBuffer& b, const NpuPair& pair, const Value& value, const Tensor& held);
// The value's codes in the buffer's plain order, element type and zero point.
Result<Tensor> codes_for(const NpuBuffer& buffer, const NpuPair& pair, const Value& value,
                         const Tensor& codes);

}  // namespace lockstep
