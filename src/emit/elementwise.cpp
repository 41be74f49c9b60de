// Functions of one element to C: tables for codes of 8 bits, samples for those of 16, calls for
// reals.
#include <algorithm>
#include <cmath>
#include <numbers>

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

std::string count_text(const NodeWriter& w) {
  return std::to_string(count_of(w.view().output(0).shape)) + "u";
}

// One function of rt/ls_map.c with its parameters, as the operator has them.
struct RealFunction {
  std::string_view op, name;
  double a_fallback = 0, b_fallback = 0;
  const char *a_attribute = nullptr, *b_attribute = nullptr;
};
constexpr RealFunction real_functions[] = {
    {"Abs", "ls_absolute"},
    {"Ceil", "ls_ceil"},
    {"Celu", "ls_celu", 1, 0, "alpha"},
    {"Cos", "ls_cos"},
    {"Elu", "ls_elu", 1, 0, "alpha"},
    {"Erf", "ls_erf"},
    {"Exp", "ls_exp"},
    {"Floor", "ls_floor"},
    {"HardSigmoid", "ls_hard_sigmoid", 0.2f, 0.5, "alpha", "beta"},
    {"HardSwish", "ls_hard_swish"},
    {"BoundedRelu", "ls_held", 0, std::numeric_limits<double>::infinity(), "low", "high"},
    {"LeakyRelu", "ls_leaky", 0.01f, 0, "alpha"},
    {"Log", "ls_log"},
    {"Mish", "ls_mish"},
    {"Reciprocal", "ls_reciprocal_of"},
    {"Round", "ls_round_even"},
    {"Rsqrt", "ls_rsqrt"},
    {"Selu", "ls_selu", 1.67326319217681884765625f, 1.05070102214813232421875f, "alpha", "gamma"},
    {"Sign", "ls_sign"},
    {"Sin", "ls_sin"},
    {"Softplus", "ls_softplus"},
    {"Softsign", "ls_softsign"},
    {"Sqrt", "ls_sqrt"},
    {"ThresholdedRelu", "ls_thresholded", 1, 0, "alpha"},
    {"Sigmoid", "ls_sigmoid"},
    {"Tanh", "ls_tanh"},
};

Result<void> write_function(NodeWriter& w, std::string_view name, double a, double b) {
  w.uses("ls_map.c");
  w.line("ls_map_f32(" + std::string(name) + ", " + c_double(a) + ", " + c_double(b) + ", " +
         w.in(0, "float") + ", " + w.out(0, "float") + ", " + count_text(w) + ");");
  return {};
}

Result<void> write_clip(NodeWriter& w) {
  const NodeView& v = w.view();
  double bounds[2] = {-std::numeric_limits<double>::infinity(),
                      std::numeric_limits<double>::infinity()};
  for (std::size_t i = 1; i < 3; ++i) {
    if (!v.has_input(i)) continue;
    if (!v.constant(i)) return w.unsupported("computed bounds");
    bounds[i - 1] = v.constant(i)->number(0);
  }
  return write_function(w, "ls_held", bounds[0], bounds[1]);
}

// Functions that onnxruntime computes in float32 by steps of its own (N47, N48).
struct SingleFunction {
  std::string_view op, name;
};
constexpr SingleFunction single_functions[] = {
    {"Log", "LS_SINGLE_LOG"},
    {"Erf", "LS_SINGLE_ERF"},
    {"Elu", "LS_SINGLE_ELU"},
    {"Selu", "LS_SINGLE_SELU"},
    {"Softplus", "LS_SINGLE_SOFTPLUS"},
    {"Mish", "LS_SINGLE_MISH"},
    {"Softsign", "LS_SINGLE_SOFTSIGN"},
    {"HardSigmoid", "LS_SINGLE_HARD_SIGMOID"},
    {"HardSwish", "LS_SINGLE_HARD_SWISH"},
    {"Celu", "LS_SINGLE_CELU"},
};

Result<void> write_single(NodeWriter& w, std::string_view name) {
  const auto f =
      std::ranges::find(real_functions, std::string_view(w.view().node.op), &RealFunction::op);
  double a = 0, b = 0;
  if (f != std::end(real_functions)) {
    a = f->a_attribute ? w.view().attrs().real(f->a_attribute, f->a_fallback) : 0;
    b = f->b_attribute ? w.view().attrs().real(f->b_attribute, f->b_fallback) : 0;
  }
  w.uses("ls_single.c"), w.uses("ls_real.c");
  w.line("ls_single_f32(" + std::string(name) + ", " + c_float(static_cast<float>(a)) + ", " +
         c_float(static_cast<float>(b)) + ", " + w.in(0, "float") + ", " + w.out(0, "float") +
         ", " + count_text(w) + ");");
  return {};
}

Result<void> write_real_function(NodeWriter& w) {
  const NodeView& v = w.view();
  const FloatPolicy& real = w.num().real;
  const std::string& op = v.node.op;
  if (op == "Neg") return write_real_map(w, "ls_neg_f32");
  if (op == "Relu") return write_real_map(w, "ls_relu_f32");
  if (op == "Clip") return write_clip(w);
  if (op == "Sigmoid" && real.sigmoid)
    return real.sigmoid == tflite_float_sigmoid ? write_function(w, "ls_sigmoid_single", 0, 0)
                                                : write_real_map(w, "ls_sigmoid_f32");
  if (op == "Tanh" && real.tanh) return write_real_map(w, "ls_tanh_f32");
  if (real.functions) {
    if (op == "Gelu")
      return write_single(w, w.view().attrs().text("approximate", "none") == "tanh"
                                 ? "LS_SINGLE_GELU_TANH"
                                 : "LS_SINGLE_GELU");
    for (const SingleFunction& f : single_functions)
      if (f.op == op) return write_single(w, f.name);
    if (op == "Exp") return write_real_map(w, "ls_exp_f32");
  }
  if (op == "Gelu")
    return v.attrs().text("approximate", "none") == "tanh"
               ? write_function(w, "ls_gelu_tanh", std::sqrt(2 / std::numbers::pi), 0)
               : write_function(w, "ls_gelu", std::numbers::sqrt2, 0);
  for (const RealFunction& f : real_functions)
    if (f.op == op)
      return write_function(
          w, f.name, f.a_attribute ? v.attrs().real(f.a_attribute, f.a_fallback) : f.a_fallback,
          f.b_attribute ? v.attrs().real(f.b_attribute, f.b_fallback) : f.b_fallback);
  return w.unsupported(op + " of float32");
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
