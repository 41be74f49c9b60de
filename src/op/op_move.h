#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "op/op.h"

namespace lockstep {

// Shared by the operators that move elements without computing: they work on bytes of any type, and
// an output element is found by where it stands in the input.

// One list per axis: element i of the output's axis comes from index source[i] of the input's axis,
// or from nowhere (no_source).
inline constexpr std::int64_t no_source = -1;
using Sources = std::vector<std::vector<std::int64_t>>;

Shape shape_of_sources(const Sources& sources);
// first, first + step, ...: `count` indices.
std::vector<std::int64_t> index_run(std::int64_t first, std::int64_t count, std::int64_t step = 1);
// start, start + step, ... up to before end, as Python slices an axis: negative counts from the
// end, beyond the axis is cut to it. `least_start` is where a negative step starts at the lowest: 0
// (ONNX) or -1, before the axis (TFLite).
std::vector<std::int64_t> slice_run(std::int64_t start, std::int64_t end, std::int64_t step,
                                    std::int64_t extent, std::int64_t least_start);
// Every element of `shape` from itself.
Sources all_of(const Shape& shape);
// y[i0, i1, ...] = x[sources[0][i0], sources[1][i1], ...]; an element from nowhere stays as it is.
void copy_from_sources(const Tensor& x, const Sources& sources, Tensor& y);
// y seen as `shape`: y[i0, i1, ...] = x at element base + i0 * strides[0] + i1 * strides[1] + ...
void copy_strided(const Tensor& x, const Shape& shape, const Shape& strides, std::int64_t base,
                  Tensor& y);
// Output 0 holds input 0's elements in their order.
Result<void> copy_whole(EvalContext& c);
// All elements of y become the one at `element` (size_of(y.dtype()) bytes).
void fill(Tensor& y, const std::byte* element);

// -rank .. rank-1 as 0 .. rank-1; an error names the axis.
Result<std::size_t> normal_axis(const NodeView& n, std::int64_t axis, std::size_t rank);
// Each axis once.
Result<std::vector<std::size_t>> normal_axes(const NodeView& n, std::span<const std::int64_t> axes,
                                             std::size_t rank);
// int32 or int64 elements.
std::vector<std::int64_t> integers_of(const Tensor& x);
// What input i says when it is there (and constant), else what the attribute says, else nothing:
// two opsets of one operator.
std::optional<std::vector<std::int64_t>> integers_at(const NodeView& n, std::size_t i,
                                                     std::string_view attr);
std::int64_t integer_at(const NodeView& n, std::size_t i, std::string_view attr,
                        std::int64_t fallback);

// Input i is absent, or a constant of an integer type: what shapes and axes must be.
bool constant_if_there(const NodeView& n, std::size_t i);
template <std::size_t... I>
bool constants_if_there(const NodeView& n) {
  return (constant_if_there(n, I) && ...);
}
inline constexpr std::string_view constant_rule =
    "the shape is a constant, or follows from constants";

// Codes move unchanged, so scale and zero point are one on both sides.
bool same_codes(const Value& x, const Value& y);
bool first_keeps_codes(const NodeView& n);  // input 0 and every output
inline constexpr std::string_view codes_rule =
    "x and y have the same scale and zero point when quantized per tensor (but in ONNX)";

// The quantization of a moved tensor. A per-channel axis goes along; where channels come from
// nowhere or the axis is gone, the result says nothing.
QuantParams quant_of_sources(const QuantParams& quant, const Sources& sources);
QuantParams quant_on_axis(QuantParams quant, int axis);  // axis -1: nothing when per channel
QuantParams quant_reshaped(const QuantParams& quant, const Shape& from, const Shape& to);

// Shape of a and b stretched against each other, aligned at the innermost axis; nothing when they
// do not fit.
std::optional<Shape> broadcast(const Shape& a, const Shape& b);
// Strides that read a tensor of shape `from` as one of the broadcast shape `to`.
Shape broadcast_strides(const Shape& from, const Shape& to);

// The node that a mapping adds: named and placed as the foreign one, without attributes.
Node node_like(const ForeignNode& foreign, const GraphBuilder& graph, std::string_view op);
// node_like with changed inputs or attributes, added.
Result<void> add_like(const ForeignNode& foreign, GraphBuilder& graph, std::string_view op,
                      std::vector<ValueId> inputs, Attrs attrs);
// Input i of a foreign node, which must be a constant with an element; `name` is for the error.
Result<const Tensor*> constant_of(const ForeignNode& foreign, const GraphBuilder& graph,
                                  std::size_t i, std::string_view name);

// The type that an ONNX element type number or a TFLite type name means.
std::optional<DType> dtype_of_onnx_number(std::int64_t number);
std::optional<DType> dtype_of_tflite_name(std::string_view name);

}  // namespace lockstep
