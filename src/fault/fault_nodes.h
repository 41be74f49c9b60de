#pragma once

#include <optional>
#include <vector>

#include "fault/fault.h"

namespace lockstep {

inline bool is_coded(const Value& v) {
  return v.quant.quantized() && !is_float(v.dtype);
}
// Conv, Gemm or MatMul whose second input is constant.
bool has_weights(const Site& site);
// Conv, Gemm or MatMul on codes, weights included.
bool is_coded_sum(const Site& site);
// Add or Sub of two operands in codes.
bool is_coded_add(const Site& site);

bool is_computed(const NodeView& n, std::size_t input);  // present and not constant
std::vector<std::size_t> computed_inputs(const NodeView& n);

// The operand that parameter `name` (counted from 1) names; an error when the node has no such
// computed one.
Result<std::size_t> operand_of(const Replay& r, double number);

// Shape and channel axis of a value: layout attribute of the node where it has one, else the file's
// habit.
std::size_t channel_axis(const NodeView& n, const Shape& shape);
// Index along `axis` of flat element i.
std::int64_t index_along(const Shape& shape, std::size_t axis, std::int64_t i);

// Of the parameter sets, those whose replay leaves fewest differing elements on the first run that
// differs most; none when no set leaves fewer than the reference itself. At most `limit`, best
// first. Where the evidence holds no output of the site at all, the first sets.
std::vector<Params> best_sets(const Site& site, const Evidence& evidence, std::vector<Params> sets,
                              Result<void> (*replay)(Replay& r), std::size_t limit = 2);

// x'[i] = x[i + by], in elements; what lies outside is zero bytes.
Tensor shifted(const Tensor& x, std::int64_t by);
// Rows of the last axis padded with `fill` to a multiple of `multiple`, then read without the
// padding.
Tensor with_padded_rows(const Tensor& x, std::int64_t multiple, std::int64_t fill);
// Bytes in reverse in every group of `width`.
void swap_bytes(Tensor& x, std::int64_t width);

}  // namespace lockstep
