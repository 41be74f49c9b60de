// Functions of one element to C: tables for codes of 8 bits, samples for those of 16, calls for
// reals.
#include <algorithm>

#include "emit/any.h"
#include "emit/evaluate.h"
#include "num/device_form.h"
#include "num/device_tables.h"
#include "num/ort_codes.h"
#include "num/tflite_fixed.h"
#include "num/tflite_policies.h"
#include "op/op_codes.h"

namespace lockstep {
namespace {

NodeMemory table_memory(const NodeView& v, const Numerics&) {
  NodeMemory m;
  if (size_of(v.input(0).dtype) == size_of(v.output(0).dtype)) m.shares.push_back({0, 0});
  return m;
}

// By the byte as it is stored: int8 codes from 0 on, then the negative ones.
std::vector<std::int64_t> by_byte(std::int64_t low, const std::vector<std::int64_t>& codes) {
  std::vector<std::int64_t> table(256);
  for (std::int64_t i = 0; i < 256; ++i)
    table[static_cast<std::size_t>((low + i) & 255)] = codes[static_cast<std::size_t>(i)] & 255;
  return table;
}

void call_table(NodeWriter& w, const std::vector<std::int64_t>& table, std::int64_t from,
                std::int64_t count) {
  const std::string skip = from > 0 ? " + " + std::to_string(from) : "";
  w.uses("ls_table.c");
  w.line("ls_table_8(" +
         w.constants().add("uint8_t", std::span<const std::int64_t>(table), w.label() + "_table") +
         ", " + w.in(0, from > 0 ? "uint8_t" : "void") + skip + ", " +
         w.out(0, from > 0 ? "uint8_t" : "void") + skip + ", " + std::to_string(count) + "u);");
}

// What stands behind whole runs of 16 elements is requantized by another rule.
Result<void> write_runs_and_rest(NodeWriter& w, const QuantizePolicy& policy) {
  const NodeView& v = w.view();
  const QuantParams &x = v.input(0).quant, &y = v.output(0).quant;
  const CodeRange from = code_range(v.input(0).dtype), to = code_range(v.output(0).dtype);
  const std::int64_t count = count_of(v.output(0).shape), runs = count - count % 16;
  for (const bool rest : {false, true}) {
    std::vector<std::int64_t> codes;
    for (std::int64_t c = from.low; c <= from.high; ++c)
      codes.push_back((rest ? policy.requantize_rest : policy.requantize)(
          static_cast<std::int32_t>(c), x.scale_at(0), x.zero_at(0), y.scale_at(0), y.zero_at(0),
          static_cast<std::int32_t>(to.low), static_cast<std::int32_t>(to.high)));
    const std::int64_t part = rest ? count - runs : runs;
    if (part > 0) call_table(w, by_byte(from.low, codes), rest ? runs : 0, part);
  }
  return {};
}

// 16-bit codes, or codes of two sizes: rounded twice as it goes.
Result<void> write_requantize_any(NodeWriter& w) {
  const NodeView& v = w.view();
  const Value &x = v.input(0), &y = v.output(0);
  const QuantizePolicy* policy = w.num().quantize;
  if (w.num().quantize_other && x.dtype != y.dtype) policy = w.num().quantize_other;
  const bool bytes = size_of(x.dtype) == 1 && size_of(y.dtype) == 1;
  const bool wide = size_of(y.dtype) > 1 || (policy && policy->requantize_rest && !bytes);
  if (!policy || (policy->requantize != tflite_quantize.requantize && !wide))
    return w.unsupported("Requantize of " + std::string(name_of(x.dtype)) + " to " +
                         std::string(name_of(y.dtype)));
  const Rescale r = fixed_multiplier(x.quant.scale_at(0) / y.quant.scale_at(0));
  const CodeRange range = code_range(y.dtype);
  w.field("x_zero", x.quant.zero_at(0));
  w.field("multiplier", r.multiplier), w.field("shift", r.shift);
  w.field("y_zero", y.quant.zero_at(0)), w.field("low", range.low), w.field("high", range.high);
  w.field("x_type", element_of(x.dtype)), w.field("y_type", element_of(y.dtype));
  w.uses("ls_codes.c");
  w.line("ls_requantize_any(" + w.params("ls_change") + ", " + w.in(0) + ", " + w.out(0) + ", " +
         count_text(w) + ");");
  return {};
}

Result<void> write_sigmoid_16(NodeWriter& w, bool tanh) {
  const Rescale r = tflite_wide_input(w.view().input(0).quant.scale_at(0), tanh);
  const std::string samples = w.constants().add(
      "uint16_t", std::span<const std::int64_t>(tflite_sigmoid_samples()), "sigmoid_samples");
  w.uses("ls_rows.c");
  w.line("ls_sigmoid_16(" + samples + ", " + std::to_string(r.multiplier) + ", " +
         std::to_string(r.shift) + ", " + (tanh ? "1" : "0") + ", " + w.in(0, "int16_t") + ", " +
         w.out(0, "int16_t") + ", " + count_text(w) + ");");
  return {};
}

// A function of 16-bit codes: samples and straight lines where they yield every code.
Result<void> write_samples(NodeWriter& w) {
  LOCKSTEP_TRY(const Tensor y, every_code(w));
  std::vector<std::int32_t> table;
  for (std::int64_t i = 0; i < y.count(); ++i)
    table.push_back(static_cast<std::int32_t>(y.code(i)));
  std::vector<std::int64_t> values(table.begin(), table.end());
  const auto samples = straight_samples(table);
  const std::string_view function = samples ? "ls_samples_16" : "ls_table_16";
  w.uses("ls_rows.c");
  w.line(std::string(function) + "(" +
         w.constants().add("int16_t",
                           samples ? std::span<const std::int64_t>(*samples)
                                   : std::span<const std::int64_t>(values),
                           w.label() + "_samples") +
         ", " + w.in(0, "int16_t") + ", " + w.out(0, "int16_t") + ", " + count_text(w) + ");");
  return {};
}

Result<void> write_wide_function(NodeWriter& w) {
  const std::string& op = w.view().node.op;
  // onnxruntime makes a table of 16-bit codes as of 8-bit ones.
  if (op == "Sigmoid" && w.num().sigmoid && w.num().sigmoid != &ort_sigmoid_table)
    return write_sigmoid_16(w, false);
  if (op == "Tanh" && w.num().tanh) return write_sigmoid_16(w, true);
  return write_samples(w);
}

Result<void> emit_function(NodeWriter& w) {
  const NodeView& v = w.view();
  const Value &x = v.input(0), &y = v.output(0);
  if (is_real(v)) return write_real_function(w);
  for (std::size_t i = 1; i < v.input_count(); ++i)
    if (v.has_input(i) && !v.constant(i)) return w.unsupported("a computed parameter");
  const bool requantize = v.node.op == "Requantize";
  if (requantize && (!is_narrow(x) || !is_narrow(y))) return write_requantize_any(w);
  if (x.quant.quantized() && x.dtype == DType::i16 && y.dtype == DType::i16)
    return write_wide_function(w);
  if (!is_narrow(x) || !x.quant.quantized() || !is_narrow(y))
    return w.unsupported(v.node.op + " of " + std::string(name_of(x.dtype)) + " to " +
                         std::string(name_of(y.dtype)));
  const QuantizePolicy* other = requantize && x.dtype != y.dtype ? w.num().quantize_other : nullptr;
  if (other && other->requantize_rest && count_of(x.shape) % 16 != 0)
    return write_runs_and_rest(w, *other);
  LOCKSTEP_TRY(const Tensor codes, every_code(w));
  std::vector<std::int64_t> values;
  for (std::int64_t i = 0; i < 256; ++i) values.push_back(codes.code(i));
  call_table(w, by_byte(code_range(x.dtype).low, values), 0, count_of(y.shape));
  return {};
}

constexpr NodeEmitter table[] = {
    {"Sigmoid", table_memory, emit_function},
    {"Tanh", table_memory, emit_function},
    {"LeakyRelu", table_memory, emit_function},
    {"HardSwish", table_memory, emit_function},
    {"HardSigmoid", table_memory, emit_function},
    {"Exp", table_memory, emit_function},
    {"Log", table_memory, emit_function},
    {"Elu", table_memory, emit_function},
    {"Gelu", table_memory, emit_function},
    {"BoundedRelu", table_memory, emit_function},
    {"Relu", table_memory, emit_function},
    {"Clip", table_memory, emit_function},
    {"Abs", table_memory, emit_function},
    {"Neg", table_memory, emit_function},
    {"Sqrt", table_memory, emit_function},
    {"Rsqrt", table_memory, emit_function},
    {"Requantize", table_memory, emit_function},
    {"Ceil", table_memory, emit_function},
    {"Celu", table_memory, emit_function},
    {"Cos", table_memory, emit_function},
    {"Erf", table_memory, emit_function},
    {"Floor", table_memory, emit_function},
    {"Mish", table_memory, emit_function},
    {"Reciprocal", table_memory, emit_function},
    {"Round", table_memory, emit_function},
    {"Selu", table_memory, emit_function},
    {"Sign", table_memory, emit_function},
    {"Sin", table_memory, emit_function},
    {"Softplus", table_memory, emit_function},
    {"Softsign", table_memory, emit_function},
    {"ThresholdedRelu", table_memory, emit_function},
};

}  // namespace

std::span<const NodeEmitter> elementwise_emitters() {
  return table;
}

}  // namespace lockstep
