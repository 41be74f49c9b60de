#pragma once

#include "op/op_foreign.h"

namespace lockstep {

// Operators of onnxruntime's own domain that its optimizer puts where several of ONNX's stood: read
// as those again, in the order in which the runtime rounds.

// y = fl(fl(acc) * fl(a_scale * b_scale)) + bias: the sum of products of codes to reals.
Result<void> from_matmul_integer_to_float(const ForeignNode& f, GraphBuilder& graph);
// The same, a coded on the fly as DynamicQuantizeLinear does.
Result<void> from_dynamic_quantize_matmul(const ForeignNode& f, GraphBuilder& graph);
// alpha * product, either operand's last two axes the other way round.
Result<void> from_fused_matmul(const ForeignNode& f, GraphBuilder& graph);
// Gelu of a sum; `approximate` as Gelu has it.
Result<void> from_biased_gelu(const ForeignNode& f, GraphBuilder& graph,
                              std::string_view approximate);

}  // namespace lockstep
