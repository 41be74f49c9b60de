#pragma once

#include <type_traits>

#include "op/op.h"

namespace lockstep {

// What elementwise operators share.

inline constexpr Slot unary_inputs[] = {{"x"}};
inline constexpr Slot unary_outputs[] = {{"y"}};

// y has the type and shape of the first input; codes keep no quantization, their scale is y's own.
inline Result<std::vector<Facts>> infer_like_first(const NodeView& n) {
  const Value& x = n.input(0);
  return std::vector<Facts>{{x.dtype, x.shape, {}}};
}

inline Error not_computed(const NodeView& n, DType dtype) {
  return Error{n.where(),
               std::string(name_of(dtype)) + (n.input(0).quant.quantized() ? " codes" : ""),
               "an element type that " + n.node.op + " computes in this arithmetic", ""};
}

// y[i] = f(x[i]), f over the real numbers: computed in double, rounded once to the element type.
template <class F>
Result<void> map_reals(EvalContext& c, F f) {
  const Tensor& x = *c.in[0];
  const auto run = [&]<class T>(T) {
    const auto in = x.as<T>();
    const auto out = c.out[0].as<T>();
    for (std::size_t i = 0; i < in.size(); ++i)
      out[i] = static_cast<T>(f(static_cast<double>(in[i])));
  };
  if (x.dtype() == DType::f32)
    run(float{});
  else if (x.dtype() == DType::f64)
    run(double{});
  else
    return not_computed(c.view, x.dtype());
  return {};
}

// y[i] = f(x[i]) in the element type itself, for what is exact in every type. Not on codes.
template <class F>
Result<void> map_elements(EvalContext& c, F f) {
  const Tensor& x = *c.in[0];
  if (x.dtype() == DType::f16 || x.dtype() == DType::boolean || c.view.input(0).quant.quantized())
    return not_computed(c.view, x.dtype());
  with_type(x.dtype(), [&](auto type) {
    using T = decltype(type);
    const auto in = x.as<T>();
    const auto out = c.out[0].as<T>();
    for (std::size_t i = 0; i < in.size(); ++i) out[i] = static_cast<T>(f(in[i]));
  });
  return {};
}

// y[i] = table of x[i]: a function of one code, filled by the arithmetic's policy. alpha and beta
// are the function's parameters. Error: this arithmetic has no such policy.
Result<void> map_codes(EvalContext& c, const TablePolicy* policy, double alpha = 0,
                       double beta = 0);

// Error where a code stands for a number below zero: roots of codes are refused there.
Result<void> no_code_below_zero(const EvalContext& c);
inline bool on_codes(const NodeView& n) {
  return n.input(0).quant.quantized() && is_integer(n.input(0).dtype);
}

// com.microsoft's QLinear functions of one tensor: x, its scale and zero point, y's scale and zero
// point. The attributes in `known` stay.
Result<void> map_qlinear_unary(const ForeignNode& f, GraphBuilder& graph, std::string_view op,
                               std::initializer_list<std::string_view> known);

}  // namespace lockstep
