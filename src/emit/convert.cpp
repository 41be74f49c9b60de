// The way between reals and codes, to C.
#include "emit/finish.h"
#include "op/op_codes.h"
#include "op/op_quantization.h"

namespace lockstep {
namespace {

std::string numbers(const QuantParams& q) {
  return c_float(static_cast<float>(q.scale_at(0))) + ", " + std::to_string(q.zero_at(0));
}

Result<QuantParams> parameters(const NodeWriter& w) {
  const NodeView& v = w.view();
  const QuantParams q = quant_of(v, v.constant(1), v.constant(2), v.input(0).shape.size());
  if (!q.quantized() || q.per_channel())
    return w.unsupported(v.node.op + " with several or computed scales");
  return q;
}

Result<void> emit_quantize(NodeWriter& w) {
  const NodeView& v = w.view();
  if (v.input(0).dtype != DType::f32 || !is_narrow(v.output(0)))
    return w.unsupported("QuantizeLinear of " + std::string(name_of(v.input(0).dtype)) + " to " +
                         std::string(name_of(v.output(0).dtype)));
  LOCKSTEP_TRY(const QuantParams q, parameters(w));
  const std::string_view policy = quantize_policy(w.num()).name;
  if (policy != "tflite-quantize" && policy != "ort-quantize")
    return w.unsupported("the rounding '" + std::string(policy) + "'");
  const CodeRange range = code_range(v.output(0).dtype);
  w.uses("ls_table.c");
  w.line(std::string(policy == "tflite-quantize" ? "ls_quantize_away_8(" : "ls_quantize_even_8(") +
         w.in(0, "float") + ", " + w.out(0) + ", " + std::to_string(count_of(v.output(0).shape)) +
         "u, " + numbers(q) + ", " + std::to_string(range.low) + ", " + std::to_string(range.high) +
         ");");
  return {};
}

Result<void> emit_dequantize(NodeWriter& w) {
  const NodeView& v = w.view();
  if (v.output(0).dtype != DType::f32 || !is_narrow(v.input(0)))
    return w.unsupported("DequantizeLinear of " + std::string(name_of(v.input(0).dtype)));
  LOCKSTEP_TRY(const QuantParams q, parameters(w));
  const bool is_unsigned = v.input(0).dtype == DType::u8;
  w.uses("ls_table.c");
  w.line(std::string(is_unsigned ? "ls_dequantize_u8(" : "ls_dequantize_s8(") +
         w.in(0, is_unsigned ? "uint8_t" : "int8_t") + ", " + w.out(0, "float") + ", " +
         std::to_string(count_of(v.output(0).shape)) + "u, " + numbers(q) + ");");
  return {};
}

constexpr NodeEmitter table[] = {{"QuantizeLinear", nullptr, emit_quantize},
                                 {"DequantizeLinear", nullptr, emit_dequantize}};

}  // namespace

std::span<const NodeEmitter> convert_emitters() {
  return table;
}

}  // namespace lockstep
