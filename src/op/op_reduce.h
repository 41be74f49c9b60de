#pragma once

#include <algorithm>
#include <vector>

#include "num/real_functions.h"
#include "op/op_move.h"

namespace lockstep {

// What reductions over axes share: the axes are an attribute or a constant input; none given means
// all, or none at all with noop_with_empty_axes.

inline constexpr Slot reduce_inputs[] = {{"x"}, {"axes", Slot::optional}};
inline constexpr Slot reduce_outputs[] = {{"y"}};
inline constexpr AttrSpec reduce_attrs[] = {
    {"axes", "all", "axes that are reduced, when they are no input"},
    {"keepdims", "1", "1: reduced axes stay with extent 1"},
    {"noop_with_empty_axes", "0", "1: no axes given means that none is reduced"},
};
inline constexpr Rule reduce_rules[] = {{constant_rule, constants_if_there<1>}};

struct Reduction {
  std::vector<bool> reduced;  // by axis of x
  Shape kept;                 // x's shape with 1 for every reduced axis
  Shape y;                    // kept, or without those axes
  std::int64_t count = 1;     // elements of x behind one of y
};
// TFLite's MEAN, SUM, ...: axes are a tensor, option keep_dims.
Result<void> reduce_from_tflite(const ForeignNode& f, GraphBuilder& graph, std::string_view op);
Result<Reduction> reduction_of(const NodeView& n);
Result<std::vector<Facts>> infer_reduce(const NodeView& n);  // y has the type of x, no quantization
Result<std::vector<Facts>> infer_reduce_codes(const NodeView& n);  // y has x's codes

// step(position in y, position in x) for every element of x in C order.
template <class Step>
void each_reduced(const Reduction& r, const Shape& x, Step&& step) {
  Shape strides = strides_of(r.kept);
  for (std::size_t d = 0; d < strides.size(); ++d)
    if (r.reduced[d]) strides[d] = 0;
  const std::int64_t count = count_of(x);
  Shape index(x.size(), 0);
  std::int64_t to = 0;
  for (std::int64_t i = 0; i < count; ++i) {
    step(static_cast<std::size_t>(to), static_cast<std::size_t>(i));
    for (std::size_t d = x.size(); d-- > 0;) {
      to += strides[d];
      if (++index[d] < x[d]) break;
      to -= strides[d] * x[d];
      index[d] = 0;
    }
  }
}

// Computes the reduction of floats where the arithmetic has an order of its own; false: nothing was
// done.
bool reduced_by_own_steps(EvalContext& c, const Reduction& r, RealReduction kind);

// N109: means and sums of floats in XNNPACK's order; false: nothing was done.
bool reduced_by_xnnpack(EvalContext& c, const Reduction& r, RealReduction kind);

// y = finish(start + term(x) + term(x) + ...) over the reals, rounded once; integers are cut.
template <class Term, class Finish>
Result<void> reduce_reals(EvalContext& c, RealReduction kind, Term term, Finish finish) {
  LOCKSTEP_TRY(const Reduction r, reduction_of(c.view));
  const Tensor& x = *c.in[0];
  if (reduced_by_own_steps(c, r, kind) || reduced_by_xnnpack(c, r, kind)) return {};
  if (c.view.input(0).quant.quantized() || x.dtype() == DType::f16 || x.dtype() == DType::boolean)
    return Error{c.view.where(), "x of type " + std::string(name_of(x.dtype())),
                 "numbers, not codes", ""};
  if (x.dtype() == DType::f32 && c.num.real.in_order) {
    const auto in = x.as<float>();
    const auto out = c.out[0].as<float>();
    std::ranges::fill(out, 0.f);
    each_reduced(r, x.shape(), [&](std::size_t to, std::size_t from) {
      out[to] += static_cast<float>(term(static_cast<double>(in[from])));
    });
    for (float& y : out)
      y = static_cast<float>(finish(static_cast<double>(y), static_cast<double>(r.count)));
    return {};
  }
  std::vector<double> sums(static_cast<std::size_t>(c.out[0].count()), 0);
  with_type(x.dtype(), [&](auto type) {
    using T = decltype(type);
    const auto in = x.as<T>();
    const auto out = c.out[0].as<T>();
    each_reduced(r, x.shape(), [&](std::size_t to, std::size_t from) {
      sums[to] += term(static_cast<double>(in[from]));
    });
    for (std::size_t i = 0; i < out.size(); ++i)
      out[i] = static_cast<T>(finish(sums[i], static_cast<double>(r.count)));
  });
  return {};
}

// y = the one element of x that `better` prefers; `none` where there is none.
template <class None, class Better>
Result<void> reduce_choice(EvalContext& c, None none, Better better) {
  LOCKSTEP_TRY(const Reduction r, reduction_of(c.view));
  const Tensor& x = *c.in[0];
  if (x.dtype() == DType::f16)
    return Error{c.view.where(), "x of type float16", "float32, float64 or integers", ""};
  with_type(x.dtype(), [&](auto type) {
    using T = decltype(type);
    const auto in = x.as<T>();
    const auto out = c.out[0].as<T>();
    std::vector<bool> seen(out.size(), false);
    for (T& y : out) y = none(T{});
    each_reduced(r, x.shape(), [&](std::size_t to, std::size_t from) {
      if (!seen[to] || better(in[from], out[to])) out[to] = in[from];
      seen[to] = true;
    });
    if (x.dtype() == DType::boolean)
      for (std::size_t i = 0; i < out.size(); ++i) out[i] = out[i] != 0;
  });
  return {};
}

}  // namespace lockstep
