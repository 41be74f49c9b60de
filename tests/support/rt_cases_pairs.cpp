// Problems of two operands and more, element by element.
#include <array>
#include <cmath>

#include "support/rt_cases_parts.h"

namespace lockstep::test {
namespace {

std::optional<KernelCase> wide_pair(CaseMaker& m) {
  static constexpr std::array names{"Add", "Sub", "Mul", "SquaredDifference", "Div", "PRelu"};
  CaseBuilder b(one_of(m, names));
  const Shape x = small_shape(m, m.from(0, 4));
  const DType t = m.from(0, 2) == 0 ? m.byte_type() : DType::i16;
  Shape other = x;
  for (std::int64_t& extent : other)
    if (m.from(0, 3) == 0) extent = 1;
  b.input(m.codes(t, x), quant_of(m, t), false);
  b.input(m.codes(t, other), quant_of(m, t), m.coin());
  if (m.from(0, 3) == 0) b.node().attrs.set("activation", std::string("relu"));
  return b.finish(t, quant_of(m, t));
}

std::optional<KernelCase> integer_pair(CaseMaker& m) {
  static constexpr std::array names{"Add",         "Sub",  "Mul",
                                    "Max",         "Min",  "Equal",
                                    "Greater",     "Less", "GreaterOrEqual",
                                    "LessOrEqual", "Div",  "FloorDiv",
                                    "NotEqual"};
  CaseBuilder b(one_of(m, names));
  const Shape x = small_shape(m, m.from(0, 3));
  const auto kind = m.from(0, 2);
  const auto put = [&](const Shape& s) {
    if (kind == 0) return b.input(m.reals(s), {}, false);
    Tensor t(kind == 1 ? DType::i32 : DType::i8, s);
    for (std::int64_t i = 0; i < t.count(); ++i) t.set_code(i, m.from(1, 4) * (m.coin() ? 1 : -1));
    b.input(std::move(t), kind == 1 ? QuantParams{} : m.quant(DType::i8), false);
  };
  put(x), put(x);
  const bool compares = b.node().op.find("E") != std::string::npos || b.node().op.find("Le") == 0 ||
                        b.node().op.find("Gr") == 0;
  const DType y = compares    ? DType::boolean
                  : kind == 0 ? DType::f32
                  : kind == 1 ? DType::i32
                              : DType::i8;
  return b.finish(y, y == DType::i8 ? m.quant(y) : QuantParams{});
}

std::optional<KernelCase> several(CaseMaker& m) {
  static constexpr std::array names{"Sum", "Mean", "Max", "Min"};
  CaseBuilder b(one_of(m, names));
  const Shape x = small_shape(m, m.from(0, 3));
  for (std::int64_t i = m.from(1, 4); i > 0; --i) {
    Shape s = x;
    for (std::int64_t& extent : s)
      if (m.from(0, 3) == 0) extent = 1;
    b.input(m.reals(s), {}, m.from(0, 5) == 0);
  }
  return b.finish(DType::f32, {});
}

std::optional<KernelCase> remainder_or_power(CaseMaker& m) {
  CaseBuilder b(m.coin() ? "Mod" : "Pow");
  const bool mod = b.node().op == "Mod", real = !mod || m.coin();
  const Shape x = small_shape(m, m.from(0, 3));
  if (real) {
    Tensor base = m.reals(x), other = m.reals(mod || m.coin() ? x : Shape{});
    for (float& v : base.as<float>()) v = mod ? v : std::abs(v) + 0.25f;
    if (!mod && other.count() == 1) other.as<float>()[0] = static_cast<float>(m.from(-1, 4));
    b.input(std::move(base), {}, false), b.input(std::move(other), {}, false);
    if (mod) b.node().attrs.set("fmod", std::int64_t{1});
    return b.finish(DType::f32, {});
  }
  for (int i = 0; i < 2; ++i) {
    Tensor t(DType::i32, x);
    for (std::int64_t k = 0; k < t.count(); ++k) t.set_code(k, m.from(-9, 9));
    b.input(std::move(t), {}, false);
  }
  b.node().attrs.set("fmod", m.from(0, 1));
  return b.finish(DType::i32, {});
}

std::optional<KernelCase> real_pair(CaseMaker& m) {
  static constexpr std::array names{"SquaredDifference", "PRelu", "Div", "Sub"};
  CaseBuilder b(one_of(m, names));
  const Shape x = small_shape(m, m.from(1, 4));
  b.input(m.reals(x), {}, false);
  b.input(m.reals({x.back()}), {}, m.coin());
  return b.finish(DType::f32, {});
}

constexpr RtSource sources[] = {
    {"pairs16", wide_pair},        {"integers", integer_pair}, {"several", several},
    {"power", remainder_or_power}, {"real_pair", real_pair},
};

}  // namespace

std::span<const RtSource> rt_pairs() {
  return sources;
}

}  // namespace lockstep::test
