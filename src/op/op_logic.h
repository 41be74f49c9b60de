#pragma once

#include "op/op_binary.h"

namespace lockstep {

// What comparisons and operators on truth values share.

inline constexpr Slot logic_inputs[] = {{"a"}, {"b"}};
inline constexpr Slot logic_outputs[] = {{"y"}};
inline constexpr Rule comparison_rules[] = {
    {"a and b have one type", [](const NodeView& n) { return n.input(0).dtype == n.input(1).dtype; }},
};
inline constexpr Rule truth_rules[] = {
    {"a and b are bool",
     [](const NodeView& n) { return n.input(0).dtype == DType::boolean && n.input(1).dtype == DType::boolean; }},
};

inline Result<std::vector<Facts>> infer_truth(const NodeView& n) {
  LOCKSTEP_TRY(const Shape shape, broadcast_shape(n, n.input(0).shape, n.input(1).shape));
  return std::vector<Facts>{{DType::boolean, shape, {}}};
}

// y = holds(a, b) in the operands' type; codes compare as codes where both have one scale.
template <class Holds>
Result<void> compare(EvalContext& c, Holds holds) {
  const Value &a = c.view.input(0), &b = c.view.input(1);
  if (a.quant != b.quant || a.dtype == DType::f16)
    return Error{c.view.where(), "operands that cannot be compared", "numbers of one type, or codes of one scale", ""};
  with_type(a.dtype, [&](auto type) {
    using T = decltype(type);
    const auto x = c.in[0]->as<T>(), z = c.in[1]->as<T>();
    const auto y = c.out[0].as<std::uint8_t>();
    each_pair(c.out[0].shape(), c.in[0]->shape(), c.in[1]->shape(), [&](std::int64_t i, std::int64_t ia, std::int64_t ib) {
      y[static_cast<std::size_t>(i)] = holds(x[static_cast<std::size_t>(ia)], z[static_cast<std::size_t>(ib)]) ? 1 : 0;
    });
  });
  return {};
}

}  // namespace lockstep
