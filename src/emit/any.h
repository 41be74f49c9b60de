#pragma once

#include "emit/finish.h"
#include "emit/window.h"

namespace lockstep {

// What is written for kernels of any element type (rt/ls_any.h).

// "LS_S8"; only for types that ls_get reads.
std::string element_of(DType type);
// Codes of 8 or 16 bits.
bool is_short_code(const Value& v);

// The field `scale`: sums to codes of y, by the rescales of each channel.
Result<void> write_scaler(NodeWriter& w, const RequantPolicy& policy,
                          std::span<const Rescale> rescales);
// The fields weights, w_zero, x_zero, x_type and bias of an ls_conv_any_p, `codes` in its order.
void write_any_operands(NodeWriter& w, std::span<const std::int64_t> codes, const Tensor* bias,
                        std::int64_t outputs);

// Operators of which some element types have kernels of their own and the others these.
Result<void> write_conv_any(NodeWriter& w, const Window& g, std::span<const std::int64_t> codes,
                            std::int64_t outputs, const RequantPolicy* policy);
Result<void> write_matmul_any(NodeWriter& w, const RequantPolicy* policy);
Result<void> write_pool_any(NodeWriter& w, const Window& g, const std::string& function);

}  // namespace lockstep
