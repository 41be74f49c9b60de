// y = x in another type: reals are cut toward zero and saturate (NaN gives 0), integers wrap, x !=
// 0 is true
#include <algorithm>
#include <cmath>
#include <limits>

#include "base/half.h"
#include "op/op_move.h"

namespace lockstep {
namespace {

// Runtimes leave reals beyond the integer type to the processor; saturation is ours (and, for
// int32, int16 and uint8, TFLite's).
constexpr Slot inputs[] = {{"x"}};
constexpr Slot outputs[] = {{"y"}};
constexpr AttrSpec attrs[] = {{"to", "", "the type of y: float32, int64, bool, ..."}};
constexpr Rule rules[] = {
    {"`to` names a type",
     [](const NodeView& n) { return dtype_named(n.attrs().text("to", "")).has_value(); }},
    {"only float16 is cast to float16",
     [](const NodeView& n) {
       return n.input(0).dtype == DType::f16 || dtype_named(n.attrs().text("to", "")) != DType::f16;
     }},
};

Result<std::vector<Facts>> infer(const NodeView& n) {
  return std::vector<Facts>{{*dtype_named(n.attrs().text("to", "")), n.input(0).shape, {}}};
}

template <class To, class From>
To cast(From x) {
  if constexpr (std::is_floating_point_v<From> && std::is_integral_v<To>) {
    if (std::isnan(x)) return 0;
    if (x <= static_cast<From>(std::numeric_limits<To>::min()))
      return std::numeric_limits<To>::min();
    if (x >= static_cast<From>(std::numeric_limits<To>::max()))
      return std::numeric_limits<To>::max();
  }
  return static_cast<To>(x);
}

Tensor widened(const Tensor& halves) {
  Tensor reals(DType::f32, halves.shape());
  std::ranges::transform(halves.as<std::uint16_t>(), reals.as<float>().begin(), widen_half);
  return reals;
}

Result<void> eval(EvalContext& c) {
  Tensor& y = c.out[0];
  if (c.in[0]->dtype() == y.dtype()) return copy_whole(c);
  const Tensor x = c.in[0]->dtype() == DType::f16 ? widened(*c.in[0]) : *c.in[0];
  with_type(x.dtype(), [&](auto from_type) {
    const auto in = x.as<decltype(from_type)>();
    with_type(y.dtype(), [&](auto to_type) {
      using To = decltype(to_type);
      const auto out = y.as<To>();
      const bool truth = y.dtype() == DType::boolean;
      for (std::size_t i = 0; i < in.size(); ++i)
        out[i] = truth ? static_cast<To>(in[i] != 0) : cast<To>(in[i]);
    });
  });
  return {};
}

Result<void> add_cast(const ForeignNode& f, GraphBuilder& graph, std::optional<DType> to,
                      const std::string& asked) {
  if (!to) return Error{f.where, "type " + asked, "a number type of 8 to 64 bits or bool", ""};
  Attrs canonical;
  canonical.set("to", std::string(name_of(*to)));
  return add_like(f, graph, "Cast", {f.inputs[0]}, std::move(canonical));
}

Result<void> from_onnx(const ForeignNode& f, GraphBuilder& graph) {
  const std::int64_t to = f.attrs.integer("to", 0);
  return add_cast(f, graph, dtype_of_onnx_number(to), std::to_string(to));
}

Result<void> from_cast_like(const ForeignNode& f, GraphBuilder& graph) {
  if (f.inputs.size() != 2 || f.inputs[1] == no_id)
    return Error{f.where, std::to_string(f.inputs.size()) + " inputs", "x and its model", ""};
  return add_cast(f, graph, graph.value(f.inputs[1]).dtype, "");
}

// The declared type of the output says it: the option may be left out.
Result<void> from_tflite(const ForeignNode& f, GraphBuilder& graph) {
  return add_cast(f, graph, graph.value(f.outputs[0]).dtype, "");
}

constexpr Foreign from[] = {{Format::onnx, "Cast", from_onnx},
                            {Format::onnx, "CastLike", from_cast_like},
                            {Format::tflite, "CAST", from_tflite}};

}  // namespace

extern constinit const OpDef op_cast = {
    .name = "Cast",
    .meaning =
        "y = x in another type: reals are cut toward zero and saturate (NaN gives 0), integers "
        "wrap",
    .inputs = inputs,
    .outputs = outputs,
    .attrs = attrs,
    .rules = rules,
    .infer = infer,
    .eval = eval,
    .from = from,
};

}  // namespace lockstep
