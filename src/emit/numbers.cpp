// Plain numbers to C: casts, comparisons, choices, indices.
#include <algorithm>

#include "emit/any.h"
#include "num/real_functions.h"
#include "num/tflite_fixed.h"
#include "op/op_arg.h"
#include "op/op_binary.h"
#include "op/op_codes.h"

namespace lockstep {
namespace {

bool is_number(const Value& v) {
  return v.dtype != DType::f16 && v.dtype != DType::u32 && v.dtype != DType::u64;
}

Result<void> emit_cast(NodeWriter& w) {
  const Value &x = w.view().input(0), &y = w.view().output(0);
  if (!is_number(x) || !is_number(y))
    return w.unsupported("Cast of " + std::string(name_of(x.dtype)) + " to " +
                         std::string(name_of(y.dtype)));
  if (x.dtype == y.dtype) {
    if (!w.in_place(0, 0))
      w.line("memcpy(" + w.out(0) + ", " + w.in(0) + ", " + std::to_string(bytes_of(y)) + "u);");
    else
      w.line("/* the same bytes */");
    return {};
  }
  w.uses("ls_number.c");
  w.line("ls_cast(" + w.in(0) + ", " + element_of(x.dtype) + ", " + w.out(0) + ", " +
         element_of(y.dtype) + ", " + count_text(w) + ");");
  return {};
}

struct Pair {
  std::string_view op, name;
};
constexpr Pair combinations[] = {{"Add", "LS_PLUS"},  {"Sub", "LS_MINUS"}, {"Mul", "LS_TIMES"},
                                 {"Div", "LS_OVER"},  {"Min", "LS_MIN"},   {"Max", "LS_MAX"},
                                 {"Pow", "LS_POWER"}, {"Sum", "LS_PLUS"},  {"Mean", "LS_PLUS"}};
constexpr Pair comparisons[] = {{"Equal", "LS_EQUAL"},     {"NotEqual", "LS_NOT_EQUAL"},
                                {"Less", "LS_LESS"},       {"LessOrEqual", "LS_LESS_EQUAL"},
                                {"Greater", "LS_GREATER"}, {"GreaterOrEqual", "LS_GREATER_EQUAL"},
                                {"And", "LS_AND"},         {"Or", "LS_OR"},
                                {"Xor", "LS_XOR"}};

template <std::size_t N>
std::string name_in(const Pair (&pairs)[N], std::string_view op) {
  return std::string(std::ranges::find(pairs, op, &Pair::op)->name);
}

Result<void> write_pair(NodeWriter& w, const std::string& what, const Shape& a, const Shape& b,
                        DType type, DType b_type) {
  LOCKSTEP_TRY(const std::string spread, spread_text(w, w.view().output(0).shape, a, b));
  w.field("spread", spread);
  w.field("what", what), w.field("type", element_of(type)), w.field("b_type", element_of(b_type));
  w.uses("ls_number.c");
  return {};
}

// Pairs of plain numbers. Widths below 64 bits wrap when they are stored.
Result<void> emit_pow(NodeWriter& w) {
  const Value &a = w.view().input(0), &b = w.view().input(1);
  if (a.dtype != DType::f32 || !is_number(b))
    return w.unsupported("Pow of " + std::string(name_of(a.dtype)));
  const bool single =
      w.num().real.functions && w.num().real.functions->power && b.dtype == DType::f32;
  const std::string what = !single ? "LS_POWER"
                           : run_kind(a.shape, b.shape) == RunKind::second_still
                               ? "LS_POWER_ONE"
                               : "LS_POWER_SINGLE";
  LOCKSTEP_CHECK(write_pair(w, what, a.shape, b.shape, a.dtype, b.dtype));
  w.line("ls_combine(" + w.params("ls_pair") + ", " + w.in(0) + ", " + w.in(1) + ", " + w.out(0) +
         ");");
  return {};
}

// Least and greatest of several operands: the first, then each further one in place.
Result<void> emit_extreme(NodeWriter& w) {
  const NodeView& v = w.view();
  const Value& y = v.output(0);
  if (!is_number(y) || v.input_count() < 1) return w.unsupported(v.node.op);
  const std::string what = name_in(combinations, v.node.op);
  if (v.input_count() == 1) {
    w.line("memmove(" + w.out(0) + ", " + w.in(0) + ", " + std::to_string(bytes_of(y)) + "u);");
    return {};
  }
  for (std::size_t i = 1; i < v.input_count(); ++i) {
    LOCKSTEP_CHECK(write_pair(w, what, i == 1 ? v.input(0).shape : y.shape, v.input(i).shape,
                              y.dtype, y.dtype));
    w.line("ls_combine(" + w.params("ls_pair") + ", " + (i == 1 ? w.in(0) : w.out(0)) + ", " +
           w.in(i) + ", " + w.out(0) + ");");
  }
  return {};
}

// Their sum, then times the inverse of how many there are.
Result<void> emit_mean(NodeWriter& w) {
  const NodeView& v = w.view();
  const Value& y = v.output(0);
  if (y.dtype != DType::f32) return w.unsupported("Mean of " + std::string(name_of(y.dtype)));
  LOCKSTEP_CHECK(emit_extreme(w));
  const double part = 1.0f / static_cast<float>(v.input_count());
  LOCKSTEP_CHECK(write_pair(w, "LS_TIMES", y.shape, {}, y.dtype, y.dtype));
  w.line("ls_combine(" + w.params("ls_pair") + ", " + w.out(0) + ", " +
         w.constants().add("float", std::span(&part, 1), w.label() + "_part") + ", " + w.out(0) +
         ");");
  return {};
}

Result<void> emit_floor_div(NodeWriter& w) {
  const Value &a = w.view().input(0), &b = w.view().input(1);
  const bool known = a.dtype == DType::f32 || a.dtype == DType::i32 || a.dtype == DType::i64 ||
                     a.dtype == DType::i8 || a.dtype == DType::i16;
  if (!known || a.dtype != b.dtype || a.quant.quantized())
    return w.unsupported("FloorDiv of " + std::string(name_of(a.dtype)));
  LOCKSTEP_CHECK(write_pair(w, "LS_FLOOR_OVER", a.shape, b.shape, a.dtype, b.dtype));
  w.line("ls_combine(" + w.params("ls_pair") + ", " + w.in(0) + ", " + w.in(1) + ", " + w.out(0) +
         ");");
  return {};
}

Result<void> emit_atan2(NodeWriter& w) {
  const Value &a = w.view().input(0), &b = w.view().input(1);
  if (!is_float(a.dtype)) return w.unsupported("Atan2 of " + std::string(name_of(a.dtype)));
  LOCKSTEP_CHECK(write_pair(w, a.dtype == DType::f32 ? "LS_ATAN2_SINGLE" : "LS_ATAN2", a.shape,
                            b.shape, a.dtype, b.dtype));
  w.line("ls_combine(" + w.params("ls_pair") + ", " + w.in(0) + ", " + w.in(1) + ", " + w.out(0) +
         ");");
  return {};
}

Result<void> emit_mod(NodeWriter& w) {
  const NodeView& v = w.view();
  const Value &a = v.input(0), &b = v.input(1);
  if (!is_number(a) || a.dtype != b.dtype)
    return w.unsupported("Mod of " + std::string(name_of(a.dtype)));
  LOCKSTEP_CHECK(write_pair(w, v.attrs().integer("fmod", 0) != 0 ? "LS_FMOD" : "LS_MOD", a.shape,
                            b.shape, a.dtype, b.dtype));
  w.line("ls_combine(" + w.params("ls_pair") + ", " + w.in(0) + ", " + w.in(1) + ", " + w.out(0) +
         ");");
  return {};
}

// y may stand where the first operand stood: later ones are still needed when y is written.
NodeMemory first_memory(const NodeView& v, const Numerics&) {
  NodeMemory m;
  if (v.input_count() > 0 && v.input(0).shape == v.output(0).shape &&
      v.input(0).dtype == v.output(0).dtype)
    m.shares.push_back({0, 0});
  return m;
}

// Where the first operand is not needed once more.
NodeMemory sum_memory(const NodeView& v, const Numerics& num) {
  return std::ranges::count(v.node.inputs, v.node.inputs[0]) > 1 ? NodeMemory{}
                                                                 : first_memory(v, num);
}

Result<void> emit_comparison(NodeWriter& w) {
  const NodeView& v = w.view();
  const Value &a = v.input(0), &b = v.input(1);
  if (!is_number(a)) return w.unsupported(v.node.op + " of " + std::string(name_of(a.dtype)));
  const std::string what = name_in(comparisons, v.node.op);
  const std::string operands = ", " + w.in(0) + ", " + w.in(1) + ", " + w.out(0, "uint8_t") + ");";
  if (v.attrs().integer("rescaled", 0) == 0) {
    LOCKSTEP_CHECK(write_pair(w, what, a.shape, b.shape, a.dtype, b.dtype));
    w.line("ls_compare(" + w.params("ls_pair") + operands);
    return {};
  }
  LOCKSTEP_TRY(const std::string spread, spread_text(w, v.output(0).shape, a.shape, b.shape));
  w.field("pair",
          "{.spread = " + spread + ", .what = " + what + ", .type = " + element_of(a.dtype) + "}");
  const Rescale ra = fixed_multiplier(a.quant.scale_at(0)),
                rb = fixed_multiplier(b.quant.scale_at(0));
  w.field("a_zero", a.quant.zero_at(0)), w.field("b_zero", b.quant.zero_at(0));
  w.field("a_multiplier", ra.multiplier), w.field("a_shift", ra.shift);
  w.field("b_multiplier", rb.multiplier), w.field("b_shift", rb.shift);
  w.uses("ls_number.c");
  w.line("ls_compare_codes(" + w.params("ls_compare_codes_p") + operands);
  return {};
}

Result<void> emit_not(NodeWriter& w) {
  w.uses("ls_number.c");
  w.line("ls_not(" + w.in(0, "uint8_t") + ", " + w.out(0, "uint8_t") + ", " + count_text(w) + ");");
  return {};
}

Result<void> emit_where(NodeWriter& w) {
  const NodeView& v = w.view();
  const Value& y = v.output(0);
  Shape condition = v.input(0).shape;
  if (v.attrs().integer("rows", 0) != 0 && condition.size() == 1 && v.input(1).shape.size() > 1)
    condition.resize(v.input(1).shape.size(), 1);
  w.uses("ls_number.c");
  for (const std::size_t i : {std::size_t{1}, std::size_t{2}}) {
    LOCKSTEP_TRY(const std::string spread, spread_text(w, y.shape, condition, v.input(i).shape));
    w.line("{\n    static const ls_spread s = " + spread + ";\n    ls_choose(&s, " +
           w.in(0, "uint8_t") + ", " + (i == 1 ? "1" : "0") + ", " + w.in(i) + ", " +
           std::to_string(size_of(y.dtype)) + ", " + w.out(0) + ");\n  }");
  }
  return {};
}

Result<void> emit_arg(NodeWriter& w) {
  const NodeView& v = w.view();
  const Value &x = v.input(0), &y = v.output(0);
  if (!is_number(x) || !is_number(y)) return w.unsupported(v.node.op);
  const auto rank = static_cast<std::int64_t>(x.shape.size());
  std::int64_t axis = v.constant(1) ? v.constant(1)->code(0) : v.attrs().integer("axis", 0);
  if (axis < 0) axis += rank;
  std::int64_t outer = 1, inner = 1;
  for (std::int64_t d = 0; d < rank; ++d)
    if (d != axis) (d < axis ? outer : inner) *= x.shape[static_cast<std::size_t>(d)];
  w.uses("ls_number.c");
  w.line("ls_arg(" + w.in(0) + ", " + element_of(x.dtype) + ", " + w.out(0) + ", " +
         element_of(y.dtype) + ", " + std::to_string(outer) + ", " +
         std::to_string(x.shape[static_cast<std::size_t>(axis)]) + ", " + std::to_string(inner) +
         ", " + (v.node.op == "ArgMax" ? "1" : "-1") + ", " +
         std::to_string(v.attrs().integer("select_last_index", 0)) + ");");
  return {};
}

constexpr NodeEmitter table[] = {
    {"Cast", nullptr, emit_cast},
    {"Min", first_memory, emit_extreme},
    {"Max", first_memory, emit_extreme},
    {"Pow", nullptr, emit_pow},
    {"Sum", sum_memory, emit_extreme},
    {"Mean", sum_memory, emit_mean},
    {"Mod", nullptr, emit_mod},
    {"FloorDiv", nullptr, emit_floor_div},
    {"Atan2", nullptr, emit_atan2},
    {"Equal", nullptr, emit_comparison},
    {"NotEqual", nullptr, emit_comparison},
    {"Less", nullptr, emit_comparison},
    {"LessOrEqual", nullptr, emit_comparison},
    {"Greater", nullptr, emit_comparison},
    {"GreaterOrEqual", nullptr, emit_comparison},
    {"And", nullptr, emit_comparison},
    {"Or", nullptr, emit_comparison},
    {"Xor", nullptr, emit_comparison},
    {"Not", nullptr, emit_not},
    {"Where", nullptr, emit_where},
    {"ArgMax", nullptr, emit_arg},
    {"ArgMin", nullptr, emit_arg},
};

}  // namespace

Result<void> write_integer_binary(NodeWriter& w) {
  const NodeView& v = w.view();
  const Value &a = v.input(0), &b = v.input(1), &y = v.output(0);
  const auto kind = std::ranges::find(combinations, std::string_view(v.node.op), &Pair::op);
  if (kind == std::end(combinations) || a.dtype != b.dtype || a.dtype != y.dtype || !is_number(a) ||
      is_float(a.dtype) || (is_code(a) && is_code(b) && is_code(y)))
    return w.unsupported(v.node.op + " of " + std::string(name_of(a.dtype)) + " and " +
                         std::string(name_of(b.dtype)));
  LOCKSTEP_CHECK(write_pair(w, std::string(kind->name), a.shape, b.shape, a.dtype, b.dtype));
  w.line("ls_combine(" + w.params("ls_pair") + ", " + w.in(0) + ", " + w.in(1) + ", " + w.out(0) +
         ");");
  return {};
}

std::span<const NodeEmitter> number_emitters() {
  return table;
}

}  // namespace lockstep
