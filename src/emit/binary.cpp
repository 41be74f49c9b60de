// Operators on two operands to C.
#include <algorithm>
#include <limits>

#include "emit/any.h"
#include "num/device_form.h"
#include "num/litert_sums.h"
#include "op/op_binary.h"
#include "op/op_held.h"

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

Result<std::string> spread_text(const NodeWriter& w, const Shape& y, const Shape& a,
                                const Shape& b) {
  const Spread s = spread_of(y, a, b);
  if (s.extent.size() > 4) return w.unsupported("operands spread over more than four axes");
  return "{.extent = " + list(s.extent) + ", .a_stride = " + list(s.a) +
         ", .b_stride = " + list(s.b) + "}";
}

Result<void> write_spread(NodeWriter& w) {
  LOCKSTEP_TRY(
      const std::string text,
      spread_text(w, w.view().output(0).shape, w.view().input(0).shape, w.view().input(1).shape));
  w.field("spread", text);
  return {};
}

// An operand of y's own shape may give its place to y.
NodeMemory binary_memory(const NodeView& v, const Numerics&) {
  NodeMemory m;
  for (std::size_t i = 0; i < 2 && i < v.input_count(); ++i)
    if (v.has_input(i) && v.input(i).shape == v.output(0).shape &&
        v.input(i).dtype == v.output(0).dtype)
      m.shares.push_back({0, i});
  return m;
}

namespace {

struct Kind {
  std::string_view op;
  const BinaryPolicy* Numerics::*policy;
  const char* real;  // its kernel on float32
};
constexpr Kind kinds[] = {
    {"Add", &Numerics::add, "ls_add_f32"},
    {"Sub", &Numerics::sub, "ls_sub_f32"},
    {"Mul", &Numerics::mul, "ls_mul_f32"},
    {"Div", &Numerics::div, "ls_div_f32"},
    {"PRelu", &Numerics::prelu, "ls_prelu_f32"},
    {"SquaredDifference", &Numerics::squared_difference, "ls_squared_difference_f32"},
};

void write_multipliers(NodeWriter& w, const BinaryState& s, const CodeClamp& clamp) {
  w.field("left", s.left_shift);
  w.field("a_multiplier", s.a.multiplier), w.field("a_shift", s.a.shift);
  w.field("b_multiplier", s.b.multiplier), w.field("b_shift", s.b.shift);
  w.field("y_multiplier", s.y.multiplier), w.field("y_shift", s.y.shift);
  w.field("y_zero", s.s.y_zero), w.field("low", clamp.low), w.field("high", clamp.high);
}

void write_fixed(NodeWriter& w, const BinaryState& s, const CodeClamp& clamp,
                 const std::string& function) {
  const NodeView& v = w.view();
  w.field("a_zero", s.s.a_zero - flip_of(v.input(0)));
  w.field("b_zero", s.s.b_zero - flip_of(v.input(1)));
  write_multipliers(w, s, clamp);
  w.field("a_flip", flip_of(v.input(0))), w.field("b_flip", flip_of(v.input(1)));
  w.uses("ls_binary.c");
  w.line(function + "(" + w.params("ls_binary_fixed") + ", " + w.in(0) + ", " + w.in(1) + ", " +
         w.out(0) + ");");
}

void write_float(NodeWriter& w, const BinaryState& s, const std::string& function) {
  const NodeView& v = w.view();
  const bool add = function == "ls_add_float_8";
  w.field("a_zero", s.s.a_zero), w.field("b_zero", s.s.b_zero);
  w.field("a_offset", held_shift(v, v.input(0))), w.field("b_offset", held_shift(v, v.input(1)));
  w.field("y_offset", held_shift(v, v.output(0)));
  w.field("a_factor", c_float(add ? s.a.factor : s.y.factor)),
      w.field("b_factor", c_float(s.b.factor));
  w.field("constant", c_float(add ? s.y.factor : static_cast<float>(s.s.y_zero)));
  w.field("low", s.s.low), w.field("high", s.s.high);
  w.field("a_flip", flip_of(v.input(0))), w.field("b_flip", flip_of(v.input(1)));
  w.field("a_first", s.s.a_is_scalar ? 1 : 0);
  w.uses("ls_binary.c");
  w.line(function + "(" + w.params("ls_binary_float") + ", " + w.in(0) + ", " + w.in(1) + ", " +
         w.out(0) + ");");
}

// The steps' name in rt/ls_any.h; "" where there is none.
std::string_view steps_name(BinarySteps steps) {
  switch (steps) {
    case BinarySteps::add_fixed:
      return "LS_ADD";
    case BinarySteps::mul_fixed:
      return "LS_MUL";
    case BinarySteps::square_fixed:
      return "LS_SQUARE";
    case BinarySteps::prelu_fixed:
      return "LS_PRELU";
    case BinarySteps::div_fixed:
      return "LS_DIV";
    case BinarySteps::add_aligned:
      return "LS_ADD_ALIGNED";
    case BinarySteps::mul_real_late:
      return "LS_MUL_LATE";
    default:
      return "";
  }
}

// N110: what vectors along a row of y take.
void write_vectors(NodeWriter& w, const BinaryPolicy& policy, const BinaryState& s) {
  const NodeView& v = w.view();
  const bool by_rows = sums_by_rows(policy, s);
  const SumRows rows =
      by_rows ? sum_rows(s, v.output(0).dtype == DType::u8, v.input(0).shape, v.input(1).shape)
              : SumRows{};
  const std::string_view kind = rows.whole == 0               ? "LS_NO_VECTORS"
                                : rows.step == GridStep::once ? "LS_VECTORS_ONCE"
                                                              : "LS_VECTORS_FLOOR";
  w.field("vectors", std::string(kind)), w.field("row", rows.row), w.field("whole", rows.whole);
}

Result<void> write_any(NodeWriter& w, const BinaryPolicy& policy, const BinaryState& s,
                       const BinaryForm& form, const CodeClamp& clamp) {
  const NodeView& v = w.view();
  const std::string_view steps = steps_name(form.steps);
  if (steps.empty()) return w.unsupported("this rounding");
  w.field("steps", std::string(steps));
  w.field("a_zero", s.s.a_zero), w.field("b_zero", s.s.b_zero);
  write_multipliers(w, s, clamp);
  w.field("factor", c_float(s.y.factor));
  w.field("minus", form.minus || form.steps == BinarySteps::square_fixed ? 1 : 0);
  w.field("once", form.once ? 1 : 0);
  write_vectors(w, policy, s);
  w.field("a_type", element_of(v.input(0).dtype)), w.field("b_type", element_of(v.input(1).dtype));
  w.field("y_type", element_of(v.output(0).dtype));
  w.uses("ls_codes.c");
  w.line("ls_binary_any(" + w.params("ls_binary_any_p") + ", " + w.in(0) + ", " + w.in(1) + ", " +
         w.out(0) + ");");
  return {};
}

// 8-bit kernels with vectors where there are some.
std::string_view fast_kernel(const BinaryForm& form) {
  if (form.once) return "";
  switch (form.steps) {
    case BinarySteps::add_fixed:
      return form.minus ? "ls_sub_fixed_8" : "ls_add_fixed_8";
    case BinarySteps::mul_fixed:
      return "ls_mul_fixed_8";
    case BinarySteps::square_fixed:
      return "ls_squared_difference_fixed_8";
    default:
      return "";
  }
}

Result<void> write_codes(NodeWriter& w, const BinaryPolicy& policy) {
  const NodeView& v = w.view();
  const Value &a = v.input(0), &b = v.input(1), &y = v.output(0);
  const CodeClamp clamp = clamp_of(v);
  const BinaryState state = policy.prepare(binary_scales(v));
  const BinaryForm form = binary_form(policy, state);
  const bool narrow = is_narrow(a) && is_narrow(b) && is_narrow(y);
  LOCKSTEP_CHECK(write_spread(w));
  if (narrow && form.steps == BinarySteps::add_real)
    return write_float(w, state, "ls_add_float_8"), Result<void>();
  if (narrow && form.steps == BinarySteps::mul_real)
    return write_float(w, state, "ls_mul_float_8"), Result<void>();
  if (held_shift(v, a) != 0 || held_shift(v, b) != 0 || held_shift(v, y) != 0)
    return w.unsupported("codes held as unsigned");
  if (const auto fast = fast_kernel(form); narrow && !fast.empty() && !sums_by_rows(policy, state))
    return write_fixed(w, state, clamp, std::string(fast)), Result<void>();
  return write_any(w, policy, state, form, clamp);
}

Result<void> emit_binary(NodeWriter& w) {
  const NodeView& v = w.view();
  const auto kind = std::ranges::find(kinds, std::string_view(v.node.op), &Kind::op);
  if (is_real(v)) return write_real_binary(w, kind->real);
  const Value &a = v.input(0), &b = v.input(1);
  if (!is_short_code(a) || !is_short_code(b) || !is_short_code(v.output(0)))
    return write_integer_binary(w);
  const BinaryPolicy* const policy = w.num().*kind->policy;
  if (!policy) return w.unsupported(v.node.op + " on codes");
  return write_codes(w, *policy);
}

constexpr NodeEmitter table[] = {
    {"Add", binary_memory, emit_binary}, {"Sub", binary_memory, emit_binary},
    {"Mul", binary_memory, emit_binary}, {"SquaredDifference", binary_memory, emit_binary},
    {"Div", binary_memory, emit_binary}, {"PRelu", binary_memory, emit_binary},
};

}  // namespace

std::span<const NodeEmitter> binary_emitters() {
  return table;
}

}  // namespace lockstep
