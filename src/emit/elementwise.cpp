// Operators on two operands, functions of one code, and softmax, to C.
#include <algorithm>

#include "emit/evaluate.h"
#include "emit/finish.h"
#include "num/device_tables.h"
#include "op/op_binary.h"

namespace lockstep {
namespace {

// y's axes with the strides of both operands, neighbouring axes joined where both go on evenly.
struct Spread {
  std::vector<std::int64_t> extent, a, b;
};

std::vector<std::int64_t> spread_strides(const Shape& from, const Shape& to) {
  std::vector<std::int64_t> out(to.size(), 0);
  std::int64_t step = 1;
  for (std::size_t k = 0; k < from.size(); ++k) {
    const std::size_t at = from.size() - 1 - k;
    if (from[at] != 1) out[to.size() - 1 - k] = step;
    step *= from[at];
  }
  return out;
}

Spread spread_of(const Shape& y, const Shape& a, const Shape& b) {
  const auto sa = spread_strides(a, y), sb = spread_strides(b, y);
  Spread s;
  for (std::size_t d = 0; d < y.size(); ++d) {
    if (y[d] == 1) continue;
    if (!s.extent.empty() && s.a.back() == sa[d] * y[d] && s.b.back() == sb[d] * y[d]) {
      s.extent.back() *= y[d];
      s.a.back() = sa[d], s.b.back() = sb[d];
      continue;
    }
    s.extent.push_back(y[d]), s.a.push_back(sa[d]), s.b.push_back(sb[d]);
  }
  while (s.extent.size() < 4) {
    s.extent.insert(s.extent.begin(), 1), s.a.insert(s.a.begin(), 0), s.b.insert(s.b.begin(), 0);
  }
  return s;
}

std::string list(const std::vector<std::int64_t>& v) {
  std::string out;
  for (const std::int64_t x : v) out += (out.empty() ? "" : ", ") + std::to_string(x);
  return "{" + out + "}";
}

}  // namespace

Result<void> write_spread(NodeWriter& w) {
  const Spread s =
      spread_of(w.view().output(0).shape, w.view().input(0).shape, w.view().input(1).shape);
  if (s.extent.size() > 4) return w.unsupported("operands spread over more than four axes");
  w.field("spread", "{.extent = " + list(s.extent) + ", .a_stride = " + list(s.a) +
                        ", .b_stride = " + list(s.b) + "}");
  return {};
}

namespace {

// An operand of y's own shape may give its place to y.
NodeMemory binary_memory(const NodeView& v, const Numerics&) {
  NodeMemory m;
  for (std::size_t i = 0; i < 2; ++i)
    if (v.input(i).shape == v.output(0).shape && v.input(i).dtype == v.output(0).dtype)
      m.shares.push_back({0, i});
  return m;
}

const BinaryPolicy* binary_policy(const NodeWriter& w) {
  const std::string& op = w.view().node.op;
  if (op == "Add") return w.num().add;
  if (op == "Sub") return w.num().sub;
  return op == "Mul" ? w.num().mul : w.num().squared_difference;
}

// Along the innermost axis on which either operand moves, a does not.
bool stands_still(const Shape& a, const Shape& b) {
  for (std::size_t k = 1; k <= std::max(a.size(), b.size()); ++k) {
    const std::int64_t ea = k <= a.size() ? a[a.size() - k] : 1,
                       eb = k <= b.size() ? b[b.size() - k] : 1;
    if (ea != 1 || eb != 1) return ea == 1;
  }
  return false;
}

void write_fixed(NodeWriter& w, const BinaryState& s, const CodeClamp& clamp,
                 const std::string& function) {
  const NodeView& v = w.view();
  w.field("a_zero", s.s.a_zero - flip_of(v.input(0)));
  w.field("b_zero", s.s.b_zero - flip_of(v.input(1)));
  w.field("left", s.left_shift);
  w.field("a_multiplier", s.a.multiplier), w.field("a_shift", s.a.shift);
  w.field("b_multiplier", s.b.multiplier), w.field("b_shift", s.b.shift);
  w.field("y_multiplier", s.y.multiplier), w.field("y_shift", s.y.shift);
  w.field("y_zero", s.s.y_zero), w.field("low", clamp.low), w.field("high", clamp.high);
  w.field("a_flip", flip_of(v.input(0))), w.field("b_flip", flip_of(v.input(1)));
  w.line(function + "(" + w.params("ls_binary_fixed") + ", " + w.in(0) + ", " + w.in(1) + ", " +
         w.out(0) + ");");
}

void write_float(NodeWriter& w, const BinaryState& s, std::int32_t shift,
                 const std::string& function) {
  const NodeView& v = w.view();
  const bool add = function == "ls_add_float_8";
  w.field("a_zero", s.s.a_zero), w.field("b_zero", s.s.b_zero);
  w.field("a_offset", shift), w.field("b_offset", shift), w.field("y_offset", shift);
  w.field("a_factor", c_float(add ? s.a.factor : s.y.factor)),
      w.field("b_factor", c_float(s.b.factor));
  w.field("constant", c_float(add ? s.y.factor : static_cast<float>(s.s.y_zero)));
  w.field("low", s.s.low), w.field("high", s.s.high);
  w.field("a_flip", flip_of(v.input(0))), w.field("b_flip", flip_of(v.input(1)));
  w.field("a_first", s.s.a_is_scalar ? 1 : 0);
  w.line(function + "(" + w.params("ls_binary_float") + ", " + w.in(0) + ", " + w.in(1) + ", " +
         w.out(0) + ");");
}

Result<void> emit_binary(NodeWriter& w) {
  const NodeView& v = w.view();
  const Value &a = v.input(0), &b = v.input(1), &y = v.output(0);
  if (is_real(v) && v.node.op != "SquaredDifference")
    return write_real_binary(w, v.node.op == "Add"   ? "ls_add_f32"
                                : v.node.op == "Sub" ? "ls_sub_f32"
                                                     : "ls_mul_f32");
  if (!is_code(a) || !is_code(b) || !is_code(y) || !is_narrow(a) || !is_narrow(b) || !is_narrow(y))
    return w.unsupported(v.node.op + " of " + std::string(name_of(a.dtype)) + " and " +
                         std::string(name_of(b.dtype)));
  const BinaryPolicy* policy = binary_policy(w);
  if (!policy) return w.unsupported(v.node.op + " on codes");
  LOCKSTEP_CHECK(write_spread(w));
  const CodeClamp clamp = clamp_of(v);
  const std::int32_t shift = v.attrs().text("codes", "") == "unsigned" ? 128 : 0;
  BinaryScales s{a.quant.scale_at(0),        b.quant.scale_at(0),        y.quant.scale_at(0),
                 a.quant.zero_at(0) + shift, b.quant.zero_at(0) + shift, y.quant.zero_at(0) + shift,
                 clamp.low + shift,          clamp.high + shift,         8};
  s.a_is_scalar = stands_still(a.shape, b.shape);
  const BinaryState state = policy->prepare(s);
  w.uses("ls_binary.c");
  const std::string_view name = policy->name;
  if (shift == 0 && name == "tflite-add")
    return write_fixed(w, state, clamp, "ls_add_fixed_8"), Result<void>();
  if (shift == 0 && name == "tflite-sub")
    return write_fixed(w, state, clamp, "ls_sub_fixed_8"), Result<void>();
  if (shift == 0 && (name == "tflite-mul" || name == "cmsis-nn-mul"))
    return write_fixed(w, state, clamp, "ls_mul_fixed_8"), Result<void>();
  if (shift == 0 && name == "tflite-squared-difference")
    return write_fixed(w, state, clamp, "ls_squared_difference_fixed_8"), Result<void>();
  if (name == "ort-add") return write_float(w, state, shift, "ls_add_float_8"), Result<void>();
  if (name == "ort-mul") return write_float(w, state, shift, "ls_mul_float_8"), Result<void>();
  return w.unsupported("the rounding '" + std::string(name) + "'");
}

NodeMemory table_memory(const NodeView& v, const Numerics&) {
  NodeMemory m;
  if (size_of(v.input(0).dtype) == size_of(v.output(0).dtype)) m.shares.push_back({0, 0});
  return m;
}

// A function of one 8-bit code: the operator itself fills its table.
Result<void> emit_table(NodeWriter& w) {
  const NodeView& v = w.view();
  if (is_real(v)) {
    const FloatPolicy& real = w.num().real;
    if (v.node.op == "Neg") return write_real_map(w, "ls_neg_f32");
    if (v.node.op == "Relu") return write_real_map(w, "ls_relu_f32");
    // Of the arithmetics only onnxruntime's is written in C; the others call the C library.
    if (v.node.op == "Sigmoid" && real.softmax && real.sigmoid)
      return write_real_map(w, "ls_sigmoid_f32");
    if (v.node.op == "Tanh" && real.softmax && real.tanh) return write_real_map(w, "ls_tanh_f32");
  }
  if (!is_narrow(v.input(0)) || !v.input(0).quant.quantized() || !is_narrow(v.output(0)) ||
      v.input(0).constant)
    return w.unsupported(v.node.op + " of " + std::string(name_of(v.input(0).dtype)) + " to " +
                         std::string(name_of(v.output(0).dtype)));
  for (std::size_t i = 1; i < v.input_count(); ++i)
    if (v.has_input(i) && !v.constant(i)) return w.unsupported("a computed parameter");
  const QuantizePolicy* other = v.node.op == "Requantize" && v.input(0).dtype != v.output(0).dtype
                                    ? w.num().quantize_other
                                    : nullptr;
  if (other && other->requantize_rest && count_of(v.input(0).shape) % 16 != 0)
    return w.unsupported("codes behind whole runs that round otherwise");
  LOCKSTEP_TRY(const Tensor y, every_code(w));
  // By the byte as it is stored: int8 codes from 0 on, then the negative ones.
  const std::int64_t low = code_range(v.input(0).dtype).low;
  std::vector<std::int64_t> table(256);
  for (std::int64_t i = 0; i < 256; ++i)
    table[static_cast<std::size_t>((low + i) & 255)] = y.code(i) & 255;
  w.uses("ls_table.c");
  w.line("ls_table_8(" +
         w.constants().add("uint8_t", std::span<const std::int64_t>(table), w.label() + "_table") +
         ", " + w.in(0) + ", " + w.out(0) + ", " + std::to_string(count_of(v.output(0).shape)) +
         "u);");
  return {};
}

Result<void> write_softmax_fixed(NodeWriter& w, const SoftmaxScales& s) {
  const std::vector<std::int64_t> table = tflite_exponentials(s);
  w.field("exponential",
          w.constants().add("int32_t", std::span<const std::int64_t>(table), w.label() + "_exp"));
  w.field("live", static_cast<std::int64_t>(table.size()));
  w.line("ls_softmax_fixed_8(" + w.params("ls_softmax") + ", " + w.in(0) + ", " + w.out(0) + ");");
  return {};
}

Result<void> write_softmax_float(NodeWriter& w, const SoftmaxScales& s, std::int64_t count) {
  const std::vector<double> table = ort_exponentials(s, count);
  w.field("exponential_real",
          w.constants().add("float", std::span<const double>(table), w.label() + "_exp"));
  w.field("y_factor", c_float(ort_softmax_factor(s)));
  w.line("ls_softmax_float_8(" + w.params("ls_softmax") + ", " + w.in(0) + ", " + w.out(0) + ");");
  return {};
}

Result<void> emit_softmax(NodeWriter& w) {
  const NodeView& v = w.view();
  const Value &x = v.input(0), &y = v.output(0);
  const auto rank = static_cast<std::int64_t>(x.shape.size());
  std::int64_t axis = v.attrs().integer("axis", -1), outer = 1, count = 1, inner = 1;
  if (axis < 0) axis += rank;
  const bool flatten = v.attrs().integer("flatten", 0) != 0;
  for (std::int64_t i = 0; i < rank; ++i)
    (i < axis               ? outer
     : i == axis || flatten ? count
                            : inner) *= x.shape[static_cast<std::size_t>(i)];
  if (is_real(v)) return write_real_softmax(w, outer, count, inner, v.attrs().real("beta", 1));
  if (!is_code(x) || !is_code(y) || !is_narrow(x) || !is_narrow(y) || !w.num().softmax)
    return w.unsupported("Softmax of " + std::string(name_of(x.dtype)));
  const CodeRange range = code_range(y.dtype);
  const SoftmaxScales s{x.quant.scale_at(0),
                        y.quant.scale_at(0),
                        v.attrs().real("beta", 1),
                        y.quant.zero_at(0),
                        static_cast<std::int32_t>(range.low),
                        static_cast<std::int32_t>(range.high),
                        static_cast<std::int32_t>(code_range(x.dtype).low)};
  w.field("outer", outer), w.field("count", count), w.field("inner", inner);
  w.field("zero", s.y_zero), w.field("low", s.low), w.field("high", s.high);
  w.field("is_unsigned", x.dtype == DType::u8 ? 1 : 0);
  w.uses("ls_table.c");
  if (w.num().softmax->name == "tflite-softmax") return write_softmax_fixed(w, s);
  if (w.num().softmax->name == "ort-softmax") return write_softmax_float(w, s, count);
  return w.unsupported("the rounding '" + std::string(w.num().softmax->name) + "'");
}

constexpr NodeEmitter table[] = {
    {"Add", binary_memory, emit_binary},       {"Sub", binary_memory, emit_binary},
    {"Mul", binary_memory, emit_binary},       {"SquaredDifference", binary_memory, emit_binary},
    {"Softmax", nullptr, emit_softmax},        {"Sigmoid", table_memory, emit_table},
    {"Tanh", table_memory, emit_table},        {"LeakyRelu", table_memory, emit_table},
    {"HardSwish", table_memory, emit_table},   {"HardSigmoid", table_memory, emit_table},
    {"Exp", table_memory, emit_table},         {"Log", table_memory, emit_table},
    {"Elu", table_memory, emit_table},         {"Gelu", table_memory, emit_table},
    {"BoundedRelu", table_memory, emit_table}, {"Relu", table_memory, emit_table},
    {"Clip", table_memory, emit_table},        {"Abs", table_memory, emit_table},
    {"Neg", table_memory, emit_table},         {"Sqrt", table_memory, emit_table},
    {"Rsqrt", table_memory, emit_table},       {"Requantize", table_memory, emit_table},
};

}  // namespace

std::span<const NodeEmitter> elementwise_emitters() {
  return table;
}

}  // namespace lockstep
