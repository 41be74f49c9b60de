// y = clamp(y_zero + (x - x_zero) * x_scale / y_scale): codes under another scale and zero point
// (N65).
#include "op/op_codes.h"
#include "op/op_elementwise.h"
#include "op/op_foreign.h"

namespace lockstep {
namespace {

Result<std::vector<Facts>> infer(const NodeView& n) {
  return std::vector<Facts>{{code_type(n), n.input(0).shape, {}}};
}

Result<void> eval(EvalContext& c) {
  const Value &xv = c.view.input(0), &yv = c.view.output(0);
  if (!c.num.quantize || !c.num.quantize->requantize) return no_policy(c.view, "Requantize");
  if (!is_code(xv) || !is_code(yv)) return not_computed(c.view, xv.dtype);
  const CodeRange range = code_range(yv.dtype);
  const bool other = c.num.quantize_other && xv.dtype != yv.dtype;
  const bool bytes = size_of(xv.dtype) == 1 && size_of(yv.dtype) == 1;
  constexpr std::int64_t run = 16;
  const QuantizePolicy& policy = other ? *c.num.quantize_other : *c.num.quantize;
  const auto rest = policy.requantize_rest ? policy.requantize_rest : policy.requantize;
  const std::int64_t count = c.in[0]->count(), in_runs = bytes ? count - count % run : 0;
  for (std::int64_t i = 0; i < count; ++i)
    store_code(c.out[0], i,
               (i < in_runs ? policy.requantize : rest)(
                   static_cast<std::int32_t>(c.in[0]->code(i)), xv.quant.scale_at(0),
                   xv.quant.zero_at(0), yv.quant.scale_at(0), yv.quant.zero_at(0),
                   static_cast<std::int32_t>(range.low), static_cast<std::int32_t>(range.high)));
  return {};
}

// Scale and zero point as the constants that QuantizeLinear and DequantizeLinear take.
Result<void> with_parameters(const ForeignNode& f, GraphBuilder& graph, std::string_view op,
                             ValueId coded) {
  const QuantParams q = graph.value(coded).quant;
  const DType dtype = graph.value(coded).dtype;
  if (!q.quantized()) return foreign_error(f, "codes without scale", "a quantized tensor");
  const Shape shape = q.per_channel() ? Shape{static_cast<std::int64_t>(q.scale.size())} : Shape{};
  Tensor scale(DType::f32, shape), zero(dtype, shape);
  for (std::int64_t i = 0; i < scale.count(); ++i) {
    scale.as<float>()[static_cast<std::size_t>(i)] =
        static_cast<float>(q.scale_at(static_cast<std::size_t>(i)));
    zero.set_code(i, q.zero_at(static_cast<std::size_t>(i)));
  }
  Attrs attrs;
  if (q.per_channel()) attrs.set("axis", std::int64_t{q.axis});
  return add_like(f, graph, op,
                  {f.inputs[0], add_constant(f, graph, "scale", std::move(scale)),
                   add_constant(f, graph, "zero", std::move(zero))},
                  std::move(attrs));
}

Result<void> quantize_from_tflite(const ForeignNode& f, GraphBuilder& graph) {
  if (!has_input(f, 0) || f.outputs.empty() || f.outputs[0] == no_id)
    return foreign_error(f, "no input or output", "one of each");
  const Value x = graph.value(f.inputs[0]);
  if (is_float(x.dtype)) return with_parameters(f, graph, "QuantizeLinear", f.outputs[0]);
  return add_like(f, graph, "Requantize", f.inputs, {});
}

Result<void> dequantize_from_tflite(const ForeignNode& f, GraphBuilder& graph) {
  if (!has_input(f, 0)) return foreign_error(f, "no input", "one");
  if (graph.value(f.inputs[0]).dtype == DType::f16) {
    Attrs to;
    to.set("to", std::string("float32"));
    return add_like(f, graph, "Cast", f.inputs, std::move(to));
  }
  return with_parameters(f, graph, "DequantizeLinear", f.inputs[0]);
}

constexpr Foreign from[] = {{Format::tflite, "QUANTIZE", quantize_from_tflite},
                            {Format::tflite, "DEQUANTIZE", dequantize_from_tflite}};

}  // namespace

extern constinit const OpDef op_requantize = {
    .name = "Requantize",
    .meaning = "y = clamp(y_zero + (x - x_zero) * x_scale / y_scale)",
    .inputs = unary_inputs,
    .outputs = unary_outputs,
    .infer = infer,
    .eval = eval,
    .from = from,
};

}  // namespace lockstep
