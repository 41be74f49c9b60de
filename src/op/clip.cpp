// y = min(max(x, low), high); on codes the bounds as codes of the same scale.
#include <algorithm>
#include <limits>

#include "op/op_elementwise.h"
#include "op/op_foreign.h"

namespace lockstep {
namespace {

constexpr Slot inputs[] = {{"x"}, {"low", Slot::optional}, {"high", Slot::optional}};
constexpr Slot outputs[] = {{"y"}};

bool is_bound(const NodeView& n, std::size_t i) {
  return !n.has_input(i) ||
         (n.input(i).dtype == n.input(0).dtype && count_of(n.input(i).shape) == 1);
}

constexpr Rule rules[] = {
    {"bounds are single elements of the type of x",
     [](const NodeView& n) { return is_bound(n, 1) && is_bound(n, 2); }},
    {codes_rule, first_keeps_codes},
};

// Opset 6 holds the bounds as attributes.
Result<void> from_onnx(const ForeignNode& f, GraphBuilder& graph) {
  LOCKSTEP_CHECK(known_attributes(f, {"min", "max"}));
  if (!has_input(f, 0)) return Error{f.where, "no input", "x", ""};
  std::vector<ValueId> in = f.inputs;
  in.resize(3, no_id);
  for (const std::size_t i : {1, 2}) {
    const char* const name = i == 1 ? "min" : "max";
    if (f.attrs.has(name))
      in[i] =
          add_constant(f, graph, name, Tensor::scalar(static_cast<float>(f.attrs.real(name, 0))));
  }
  while (in.back() == no_id) in.pop_back();
  return add_like(f, graph, "Clip", std::move(in), {});
}

constexpr Foreign from[] = {{Format::onnx, "Clip", from_onnx}};

Result<std::vector<Facts>> infer(const NodeView& n) {
  const Value& x = n.input(0);
  return std::vector<Facts>{{x.dtype, x.shape, x.quant}};
}

Result<void> eval(EvalContext& c) {
  if (c.in[0]->dtype() == DType::f16) return not_computed(c.view, DType::f16);
  with_type(c.in[0]->dtype(), [&](auto type) {
    using T = decltype(type);
    using Limits = std::numeric_limits<T>;
    T low = Limits::has_infinity ? -Limits::infinity() : Limits::lowest();
    T high = Limits::has_infinity ? Limits::infinity() : Limits::max();
    if (c.in.size() > 1 && c.in[1]) low = c.in[1]->as<T>()[0];
    if (c.in.size() > 2 && c.in[2]) high = c.in[2]->as<T>()[0];
    const auto x = c.in[0]->as<T>();
    const auto y = c.out[0].as<T>();
    for (std::size_t i = 0; i < x.size(); ++i) y[i] = std::min(std::max(x[i], low), high);
  });
  return {};
}

}  // namespace

extern constinit const OpDef op_clip = {
    .name = "Clip",
    .meaning = "y = min(max(x, low), high)",
    .inputs = inputs,
    .outputs = outputs,
    .rules = rules,
    .infer = infer,
    .eval = eval,
    .from = from,
};

}  // namespace lockstep
