#pragma once

#include "emit/node.h"
#include "num/device_form.h"

namespace lockstep {

// How accumulators become an output's elements: writes the fields `finish` and `q` of a parameter
// structure. `rescales` are those of each output channel, prepared by a policy that takes `steps`.
Result<void> write_finish(NodeWriter& w, RequantSteps steps, std::span<const Rescale> rescales,
                          std::int32_t zero, std::int32_t low, std::int32_t high);
// The same with a float output: y = acc * factor.
Result<void> write_finish_real(NodeWriter& w, std::span<const float> factors);

// The error of an arithmetic that sums products in pieces or in 16 bits that saturate.
Result<void> plain_products(const NodeWriter& w);

// How many elements the first output has: "48u".
std::string count_text(const NodeWriter& w);

// float32 in and out, and what is written for it.
bool is_real(const NodeView& v);
Result<void> write_real_binary(NodeWriter& w, const std::string& function);
Result<void> write_real_function(NodeWriter& w);  // of one element
Result<void> write_real_map(NodeWriter& w, const std::string& function);
Result<void> write_real_conv(NodeWriter& w);
Result<void> write_real_average(NodeWriter& w);
Result<void> write_real_gemm(NodeWriter& w);
Result<void> write_real_matmul(NodeWriter& w);
// By codes of 4 or 8 bits, scales by block.
Result<void> write_matrix_codes(NodeWriter& w);
NodeMemory matrix_codes_memory(const NodeView& v, const Numerics& num);
// N30: products that are fused in one piece where the right operand [k, n] is not packed before.
std::int64_t unpacked_block(std::int64_t n, std::int64_t k);
// What a fused activation does to the float32 output, written after the operator.
Result<void> write_activation(NodeWriter& w);
// The fields `low` and `high` of a fused activation; the error of tanh.
Result<void> write_bounds(NodeWriter& w);
// Two operands of plain integers.
Result<void> write_integer_binary(NodeWriter& w);
// The field `spread`: the axes of y with the strides of both operands; its text for given shapes.
Result<void> write_spread(NodeWriter& w);
Result<std::string> spread_text(const NodeWriter& w, const Shape& y, const Shape& a,
                                const Shape& b);
// Each element of the first output from the place that the operator's own index map says.
Result<void> write_by_map(NodeWriter& w);
// An operand of y's own shape and type may give its place to y.
NodeMemory binary_memory(const NodeView& v, const Numerics& num);

// 8-bit codes: what enters a kernel is code - flip (flip 128 for uint8).
inline bool is_narrow(const Value& v) {
  return v.dtype == DType::i8 || v.dtype == DType::u8;
}
inline std::int32_t flip_of(const Value& v) {
  return v.dtype == DType::u8 ? 128 : 0;
}

// Weights as the kernels read them: rows of `depth` codes, two rows and 16 codes in turn, zeros
// behind.
std::vector<std::int64_t> pack_rows(std::span<const std::int64_t> rows, std::int64_t depth);

}  // namespace lockstep
