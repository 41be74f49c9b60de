// The way between reals and codes, to C; products of codes whose zero points are computed.
#include <algorithm>

#include "emit/any.h"
#include "num/device_form.h"
#include "num/litert_quantize.h"
#include "op/op_codes.h"
#include "op/op_matrix.h"
#include "op/op_quantization.h"

namespace lockstep {
namespace {

// Scales and zero points by element, as the fields of an ls_grid; constants only.
Result<void> write_grid(NodeWriter& w, DType codes) {
  const NodeView& v = w.view();
  const Tensor *scale = v.constant(1), *zero = v.constant(2);
  if (!scale || (v.has_input(2) && !zero))
    return w.unsupported(v.node.op + " with computed scales");
  LOCKSTEP_TRY(const ScaleLayout layout, scale_layout(v, v.input(0).shape, scale->shape()));
  if (layout.block != 0) return w.unsupported("scales by blocks");
  std::vector<std::int64_t> zeros;
  for (std::int64_t i = 0; i < scale->count(); ++i)
    zeros.push_back(zero ? zero->code(zero->count() > 1 ? i : 0) : 0);
  const QuantizeSteps steps = quantize_steps(quantize_policy(w.num()));
  const CodeRange range = code_range(codes);
  w.field("inner", layout.axis < 0 ? 1 : layout.inner);
  w.field("extent", layout.axis < 0 ? 1 : layout.extent);
  w.field("low", c_integer(range.low)), w.field("high", range.high);
  w.field("scale", w.constants().add_tensor(*scale, w.label() + "_scale"));
  w.field("zero",
          w.constants().add("int32_t", std::span<const std::int64_t>(zeros), w.label() + "_zero"));
  w.field("type", element_of(codes));
  w.field("how", steps == QuantizeSteps::away   ? "LS_AWAY"
                 : steps == QuantizeSteps::even ? "LS_EVEN"
                                                : "LS_INVERSE");
  w.uses("ls_grid.c"), w.uses("ls_map.c");
  return {};
}

bool has_grid_kernel(DType t) {
  return t == DType::i8 || t == DType::u8 || t == DType::i16 || t == DType::u16 || t == DType::i32;
}

std::string numbers(const QuantParams& q) {
  return c_float(static_cast<float>(q.scale_at(0))) + ", " + std::to_string(q.zero_at(0));
}

// Codes are written from the front behind the reals that are read: they may begin a little before.
NodeMemory quantize_memory(const NodeView& v, const Numerics&) {
  if (v.input(0).dtype != DType::f32 || size_of(v.output(0).dtype) > 2) return {};
  return {0, {{0, 0, false, 1}}};
}

// Reals are written over codes that stand at their own end and have been read.
NodeMemory dequantize_memory(const NodeView& v, const Numerics&) {
  if (v.output(0).dtype != DType::f32 || !is_narrow(v.input(0))) return {};
  const std::int64_t grown = bytes_of(v.output(0)) - bytes_of(v.input(0));
  const QuantParams q = quant_of(v, v.constant(1), v.constant(2), v.input(0).shape.size());
  if (!q.quantized() || q.per_channel()) return {};
  return {0, {{0, 0}, {0, 0, false, grown + 16}}};
}

Result<void> emit_quantize(NodeWriter& w) {
  const NodeView& v = w.view();
  const Value& y = v.output(0);
  if (v.input(0).dtype != DType::f32 || !has_grid_kernel(y.dtype) || y.dtype == DType::i32)
    return w.unsupported("QuantizeLinear of " + std::string(name_of(v.input(0).dtype)) + " to " +
                         std::string(name_of(y.dtype)));
  const QuantParams q = quant_of(v, v.constant(1), v.constant(2), v.input(0).shape.size());
  const QuantizeSteps steps = quantize_steps(quantize_policy(w.num()));
  if (!is_narrow(y) || !q.quantized() || q.per_channel() || steps == QuantizeSteps::inverse) {
    LOCKSTEP_CHECK(write_grid(w, y.dtype));
    w.field("rest",
            left_by_vectors(quantize_policy(w.num()), y.dtype == DType::i16, count_of(y.shape)));
    w.line("ls_quantize_any(" + w.params("ls_grid") + ", " + w.in(0, "float") + ", " + w.out(0) +
           ", " + count_text(w) + ");");
    return {};
  }
  const CodeRange range = code_range(y.dtype);
  w.uses("ls_convert.c");
  w.line(std::string(steps == QuantizeSteps::away ? "ls_quantize_away_8(" : "ls_quantize_even_8(") +
         w.in(0, "float") + ", " + w.out(0) + ", " + count_text(w) + ", " + numbers(q) + ", " +
         std::to_string(range.low) + ", " + std::to_string(range.high) + ");");
  return {};
}

Result<void> emit_dequantize(NodeWriter& w) {
  const NodeView& v = w.view();
  const Value& x = v.input(0);
  if (v.output(0).dtype != DType::f32 || !has_grid_kernel(x.dtype))
    return w.unsupported("DequantizeLinear of " + std::string(name_of(x.dtype)));
  const QuantParams q = quant_of(v, v.constant(1), v.constant(2), x.shape.size());
  if (!is_narrow(x) || !q.quantized() || q.per_channel()) {
    LOCKSTEP_CHECK(write_grid(w, x.dtype));
    w.line("ls_dequantize_any(" + w.params("ls_grid") + ", " + w.in(0) + ", " + w.out(0, "float") +
           ", " + count_text(w) + ");");
    return {};
  }
  const bool is_unsigned = x.dtype == DType::u8;
  w.uses("ls_convert.c");
  w.line(std::string(is_unsigned ? "ls_dequantize_u8(" : "ls_dequantize_s8(") +
         w.in(0, is_unsigned ? "uint8_t" : "int8_t") + ", " + w.out(0, "float") + ", " +
         count_text(w) + ", " + numbers(q) + ");");
  return {};
}

Result<void> emit_dynamic(NodeWriter& w) {
  const NodeView& v = w.view();
  const auto out = [&](std::size_t o, const char* type) {
    return o < v.node.outputs.size() && v.node.outputs[o] != no_id ? w.out(o, type)
                                                                   : std::string("NULL");
  };
  if (quantize_steps(quantize_policy(w.num())) != QuantizeSteps::even)
    return w.unsupported("this rounding");
  w.uses("ls_grid.c"), w.uses("ls_map.c");
  w.line("ls_quantize_dynamic(" + w.in(0, "float") + ", " + w.out(0, "uint8_t") + ", " +
         out(1, "float") + ", " + out(2, "uint8_t") + ", " +
         std::to_string(count_of(v.input(0).shape)) + "u);");
  return {};
}

// A zero point input and how many numbers it has.
std::string zeros_text(NodeWriter& w, std::size_t i) {
  if (!w.view().has_input(i)) return "NULL, 0";
  return w.in(i) + ", " + std::to_string(count_of(w.view().input(i).shape));
}

Result<void> emit_matmul_integer(NodeWriter& w) {
  const NodeView& v = w.view();
  LOCKSTEP_TRY(const MatrixPlan p, matrix_plan(v));
  std::vector<std::int64_t> a_at, b_at;
  each_matrix(p, [&](std::int64_t, std::int64_t a, std::int64_t b) {
    a_at.push_back(a), b_at.push_back(b);
  });
  const auto step = [&](const std::vector<std::int64_t>& at) {
    return at.size() > 1 ? at[1] - at[0] : 0;
  };
  for (std::size_t i = 0; i < a_at.size(); ++i)
    if (a_at[i] != static_cast<std::int64_t>(i) * step(a_at) ||
        b_at[i] != static_cast<std::int64_t>(i) * step(b_at))
      return w.unsupported("matrices spread over inner axes");
  w.field("count", static_cast<std::int64_t>(a_at.size()));
  w.field("m", p.m), w.field("n", p.n), w.field("k", p.k);
  w.field("a_step", step(a_at) * p.m * p.k), w.field("b_step", step(b_at) * p.k * p.n);
  w.field("a_row", p.k), w.field("a_col", 1), w.field("b_row", p.n), w.field("b_col", 1);
  w.field("a_type", element_of(v.input(0).dtype)), w.field("b_type", element_of(v.input(1).dtype));
  w.uses("ls_grid.c"), w.uses("ls_map.c");
  w.line("ls_matmul_integer(" + w.params("ls_matmul_any_p") + ", " + w.in(0) + ", " + w.in(1) +
         ", " + zeros_text(w, 2) + ", " + zeros_text(w, 3) + ", " + w.out(0, "int32_t") + ");");
  return {};
}

Result<void> emit_conv_integer(NodeWriter& w) {
  const NodeView& v = w.view();
  if (!v.constant(1)) return w.unsupported("computed weights");
  LOCKSTEP_TRY(const Window g, flat_window(w, window_kernel(v)));
  w.field("window", window_text(g, v.input(1).shape[0]));
  w.field("group", v.attrs().integer("group", 1));
  w.field("x_type", element_of(v.input(0).dtype)), w.field("w_type", element_of(v.input(1).dtype));
  w.uses("ls_window_any.c"), w.uses("ls_codes.c");
  w.line("ls_conv_integer(" + w.params("ls_conv_integer_p") + ", " + w.in(0) + ", " + w.in(1) +
         ", " + zeros_text(w, 2) + ", " + zeros_text(w, 3) + ", " + w.out(0, "int32_t") + ");");
  return {};
}

constexpr NodeEmitter table[] = {{"QuantizeLinear", quantize_memory, emit_quantize},
                                 {"DequantizeLinear", dequantize_memory, emit_dequantize},
                                 {"DynamicQuantizeLinear", nullptr, emit_dynamic},
                                 {"MatMulInteger", nullptr, emit_matmul_integer},
                                 {"ConvInteger", nullptr, emit_conv_integer}};

}  // namespace

std::span<const NodeEmitter> convert_emitters() {
  return table;
}

}  // namespace lockstep
