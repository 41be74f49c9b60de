#pragma once

#include "op/op_foreign.h"

namespace lockstep {

// ONNX's operators on codes name scale and zero point of every tensor as inputs: these mappings
// write them onto the tensors and make the plain operator's node. Scales must be constant.
Result<void> from_qlinear_conv(const ForeignNode& f, GraphBuilder& graph);
Result<void> from_qlinear_matmul(const ForeignNode& f, GraphBuilder& graph);
Result<void> from_qgemm(const ForeignNode& f, GraphBuilder& graph);
Result<void> from_qlinear_add(const ForeignNode& f, GraphBuilder& graph);
Result<void> from_qlinear_mul(const ForeignNode& f, GraphBuilder& graph);
Result<void> from_qlinear_softmax(const ForeignNode& f, GraphBuilder& graph);
Result<void> from_qlinear_average_pool(const ForeignNode& f, GraphBuilder& graph);
Result<void> from_qlinear_global_average_pool(const ForeignNode& f, GraphBuilder& graph);
Result<void> from_qlinear_where(const ForeignNode& f, GraphBuilder& graph);
Result<void> from_qlinear_concat(const ForeignNode& f, GraphBuilder& graph);

// N46: whether this product saturates in pairs: uint8 (as the runtime holds it) by int8 under an
// arithmetic that says so.
bool saturates_in_pairs(const EvalContext& c);
// What makes a stored code of the first operand the runtime's.
std::int32_t runtime_shift(const NodeView& n);

}  // namespace lockstep
