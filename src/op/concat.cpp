// y = x0, x1, ... one after the other along an axis; codes of other scales are requantized to y's
#include <algorithm>
#include <cstring>

#include "base/text.h"
#include "num/tflite_policies.h"
#include "op/op_move.h"
#include "op/op_qlinear.h"

namespace lockstep {
namespace {

constexpr Slot inputs[] = {{"x", Slot::variadic}};
constexpr Slot outputs[] = {{"y"}};
constexpr AttrSpec attrs[] = {
    {"axis", "", "-rank .. rank-1"},
    {"activation", "none", "fused activation"},
    {"requantize", "1",
     "1: codes of other scales by the arithmetic's rule, 2: by that of TFLite's concatenation "
     "(N78), 0: not at all"},
};
constexpr Rule rules[] = {
    {"there is an x", [](const NodeView& n) { return n.input_count() > 0 && n.has_input(0); }},
    {"all x have one type",
     [](const NodeView& n) {
       for (std::size_t i = 0; i < n.input_count(); ++i)
         if (!n.has_input(i) || n.input(i).dtype != n.input(0).dtype) return false;
       return true;
     }},
    {"no activation is fused",
     [](const NodeView& n) { return n.attrs().text("activation", "none") == "none"; }},
};

Result<std::vector<Facts>> infer(const NodeView& n) {
  const Value& first = n.input(0);
  LOCKSTEP_TRY(const std::size_t axis,
               normal_axis(n, n.attrs().integer("axis", 1), first.shape.size()));
  Shape y = first.shape;
  bool one_quant = true;
  for (std::size_t i = 1; i < n.input_count(); ++i) {
    const Value& x = n.input(i);
    Shape fits = x.shape;
    if (axis < fits.size()) fits[axis] = first.shape[axis];
    if (fits != first.shape)
      return Error{n.where(), "x" + std::to_string(i) + " of shape " + shape_text(x.shape),
                   shape_text(first.shape) + " but for axis " + std::to_string(axis), ""};
    y[axis] += x.shape[axis];
    one_quant = one_quant && x.quant == first.quant;
  }
  const bool passes =
      one_quant && !(first.quant.per_channel() && first.quant.axis == static_cast<int>(axis));
  return std::vector<Facts>{{first.dtype, std::move(y), passes ? first.quant : QuantParams{}}};
}

// x's codes under y's scale and zero point, where the arithmetic says how.
Result<Tensor> requantized(const EvalContext& c, std::size_t i) {
  const QuantParams& from = c.view.input(i).quant;
  const QuantParams& to = c.view.output(0).quant;
  const QuantizePolicy* policy = c.num.quantize;
  if (!policy || !policy->requantize || !from.quantized() || from.per_channel() || to.per_channel())
    return Error{c.view.where(),
                 "x" + std::to_string(i) + " has another scale or zero point than y",
                 "one scale and zero point, or an arithmetic that requantizes codes", ""};
  Tensor codes = *c.in[i];
  const CodeRange range = code_range(codes.dtype());
  const AverageScales s{from.scale_at(0),
                        to.scale_at(0),
                        from.zero_at(0),
                        to.zero_at(0),
                        static_cast<std::int32_t>(range.low),
                        static_cast<std::int32_t>(range.high)};
  const bool joined = c.view.attrs().integer("requantize", 1) == 2;
  for (std::int64_t k = 0; k < codes.count(); ++k) {
    const auto code = static_cast<std::int32_t>(codes.code(k));
    codes.set_code(k, joined ? tflite_joined(code, s)
                             : policy->requantize(code, s.x_scale, s.x_zero, s.y_scale, s.y_zero,
                                                  s.low, s.high));
  }
  return codes;
}

Result<void> eval(EvalContext& c) {
  Tensor& y = c.out[0];
  LOCKSTEP_TRY(const std::size_t axis,
               normal_axis(c.view, c.view.attrs().integer("axis", 1), y.shape().size()));
  const auto outer = static_cast<std::size_t>(
      count_of({y.shape().begin(), y.shape().begin() + static_cast<std::ptrdiff_t>(axis)}));
  if (y.count() == 0) return {};
  const std::size_t row = y.bytes().size() / outer;
  const bool requantizes = c.view.attrs().integer("requantize", 1) != 0;
  std::size_t at = 0;
  for (std::size_t i = 0; i < c.in.size(); ++i) {
    Tensor other;
    if (requantizes && !same_codes(c.view.input(i), c.view.output(0))) {
      LOCKSTEP_TRY(other, requantized(c, i));
    }
    const auto bytes = other.count() > 0 ? std::as_const(other).bytes() : c.in[i]->bytes();
    const std::size_t part = bytes.size() / outer;
    if (part == 0) continue;
    for (std::size_t o = 0; o < outer; ++o)
      std::memcpy(y.bytes().data() + o * row + at, bytes.data() + o * part, part);
    at += part;
  }
  return {};
}

Result<void> from_onnx(const ForeignNode& foreign, GraphBuilder& graph) {
  Attrs attrs_as_written = foreign.attrs;
  attrs_as_written.set("requantize", std::int64_t{0});
  return add_like(foreign, graph, "Concat", foreign.inputs, std::move(attrs_as_written));
}

Result<void> from_tflite(const ForeignNode& foreign, GraphBuilder& graph) {
  Attrs canonical;
  canonical.set("axis", foreign.attrs.integer("axis", 0));
  // Codes of 16 bits are joined as they are, whatever their scales.
  const bool wide = has_input(foreign, 0) && input_of(foreign, graph, 0).dtype == DType::i16;
  canonical.set("requantize", std::int64_t{wide ? 0 : 2});
  canonical.set("activation", lower(foreign.attrs.text("fused_activation_function", "NONE")));
  return add_like(foreign, graph, "Concat", foreign.inputs, std::move(canonical));
}

constexpr Foreign from[] = {{Format::onnx, "com.microsoft:QLinearConcat", from_qlinear_concat},
                            {Format::onnx, "Concat", from_onnx},
                            {Format::tflite, "CONCATENATION", from_tflite}};

}  // namespace

extern constinit const OpDef op_concat = {
    .name = "Concat",
    .meaning =
        "y = x0, x1, ... one after the other along an axis; codes of other scales are requantized "
        "to y's",
    .inputs = inputs,
    .outputs = outputs,
    .attrs = attrs,
    .rules = rules,
    .infer = infer,
    .eval = eval,
    .from = from,
};

}  // namespace lockstep
