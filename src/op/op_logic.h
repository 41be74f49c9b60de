#pragma once

#include "num/tflite_fixed.h"
#include "op/op_binary.h"
#include "op/op_move.h"

namespace lockstep {

// What comparisons and operators on truth values share.

inline constexpr Slot logic_inputs[] = {{"a"}, {"b"}};
inline constexpr Slot logic_outputs[] = {{"y"}};
inline constexpr Rule comparison_rules[] = {
    {"a and b have one type",
     [](const NodeView& n) { return n.input(0).dtype == n.input(1).dtype; }},
};
inline constexpr Rule truth_rules[] = {
    {"a and b are bool",
     [](const NodeView& n) {
       return n.input(0).dtype == DType::boolean && n.input(1).dtype == DType::boolean;
     }},
};

inline Result<std::vector<Facts>> infer_truth(const NodeView& n) {
  LOCKSTEP_TRY(const Shape shape, broadcast_shape(n, n.input(0).shape, n.input(1).shape));
  return std::vector<Facts>{{DType::boolean, shape, {}}};
}

inline constexpr AttrSpec comparison_attrs[] = {
    {"rescaled", "0", "1: codes are brought to a common scale before they are compared (N79)"}};

// TFLite compares 8-bit codes by N79, whatever their scales are.
inline Result<void> comparison_from(const ForeignNode& foreign, GraphBuilder& graph,
                                    std::string_view op) {
  const Value& a = graph.value(foreign.inputs[0]);
  Attrs attrs;
  if (foreign.format == Format::tflite && a.quant.quantized() && size_of(a.dtype) == 1)
    attrs.set("rescaled", std::int64_t{1});
  return add_like(foreign, graph, op, foreign.inputs, std::move(attrs));
}

// y = holds(a, b) on codes of any two scales, by N79.
template <class Holds>
Result<void> compare_rescaled(EvalContext& c, Holds holds) {
  const Value &a = c.view.input(0), &b = c.view.input(1);
  if (!a.quant.quantized() || !b.quant.quantized() || a.quant.per_channel() ||
      b.quant.per_channel())
    return Error{c.view.where(), "operands that cannot be compared", "codes with one scale each",
                 ""};
  const Rescale ra = fixed_multiplier(a.quant.scale[0]), rb = fixed_multiplier(b.quant.scale[0]);
  if (ra.shift > 0 || rb.shift > 0)
    return Error{c.view.where(), "a scale of 1 or more",
                 "scales below 1: the runtime defines no others", ""};
  const auto y = c.out[0].as<std::uint8_t>();
  each_pair(c.out[0].shape(), c.in[0]->shape(), c.in[1]->shape(),
            [&](std::int64_t i, std::int64_t ia, std::int64_t ib) {
              const std::int32_t x =
                  comparable(static_cast<std::int32_t>(c.in[0]->code(ia)) - a.quant.zero_at(0), ra);
              const std::int32_t z =
                  comparable(static_cast<std::int32_t>(c.in[1]->code(ib)) - b.quant.zero_at(0), rb);
              y[static_cast<std::size_t>(i)] = holds(x, z) ? 1 : 0;
            });
  return {};
}

// y = holds(a, b) in the operands' type; codes compare as codes where both have one scale.
template <class Holds>
Result<void> compare(EvalContext& c, Holds holds) {
  if (c.view.attrs().integer("rescaled", 0) != 0) return compare_rescaled(c, holds);
  const Value &a = c.view.input(0), &b = c.view.input(1);
  if (a.quant != b.quant || a.dtype == DType::f16)
    return Error{c.view.where(), "operands that cannot be compared",
                 "numbers of one type, or codes of one scale", ""};
  with_type(a.dtype, [&](auto type) {
    using T = decltype(type);
    const auto x = c.in[0]->as<T>(), z = c.in[1]->as<T>();
    const auto y = c.out[0].as<std::uint8_t>();
    each_pair(c.out[0].shape(), c.in[0]->shape(), c.in[1]->shape(),
              [&](std::int64_t i, std::int64_t ia, std::int64_t ib) {
                y[static_cast<std::size_t>(i)] =
                    holds(x[static_cast<std::size_t>(ia)], z[static_cast<std::size_t>(ib)]) ? 1 : 0;
              });
  });
  return {};
}

}  // namespace lockstep
