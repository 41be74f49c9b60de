// Problems of one element at a time.
#include <array>
#include <cmath>
#include <limits>

#include "support/rt_cases_parts.h"

namespace lockstep::test {
namespace {

std::optional<KernelCase> function(CaseMaker& m) {
  static constexpr std::array names{"Sigmoid", "Tanh", "LeakyRelu", "HardSwish", "Relu",
                                    "Exp",     "Log",  "Elu",       "Gelu",      "HardSigmoid",
                                    "Abs",     "Neg",  "Sqrt",      "Rsqrt",     "BoundedRelu"};
  CaseBuilder b(one_of(m, names));
  const Shape x = small_shape(m, m.from(0, 3));
  const DType t = code_type(m);
  b.input(m.codes(t, x), quant_of(m, t), false);
  if (b.node().op == "BoundedRelu") b.node().attrs.set("low", 0.0), b.node().attrs.set("high", 6.0);
  return b.finish(t, quant_of(m, t));
}

std::optional<KernelCase> real_function(CaseMaker& m) {
  static constexpr std::array names{
      "Abs",       "Ceil",      "Cos",  "Erf",  "Exp",       "Floor",    "HardSigmoid",
      "HardSwish", "LeakyRelu", "Log",  "Mish", "Neg",       "Round",    "Rsqrt",
      "Selu",      "Sigmoid",   "Sign", "Sin",  "Sqrt",      "Softplus", "Tanh",
      "Softsign",  "Relu",      "Elu",  "Gelu", "Reciprocal"};
  CaseBuilder b(one_of(m, names));
  b.input(m.reals(small_shape(m, m.from(0, 3))), {}, false);
  return b.finish(DType::f32, {});
}

std::optional<KernelCase> requantize(CaseMaker& m) {
  CaseBuilder b("Requantize");
  const DType x = code_type(m), y = code_type(m);
  b.input(m.codes(x, small_shape(m, m.from(0, 3))), quant_of(m, x), false);
  return b.finish(y, quant_of(m, y));
}

std::optional<KernelCase> cast(CaseMaker& m) {
  static constexpr std::array<DType, 6> types{DType::f32, DType::i32, DType::i64,
                                              DType::i8,  DType::u8,  DType::boolean};
  CaseBuilder b("Cast");
  const auto from = types[static_cast<std::size_t>(m.from(0, 5))];
  const auto to = static_cast<std::size_t>(m.from(0, 5));
  const Shape x = small_shape(m, m.from(0, 3));
  if (from == DType::f32) {
    b.input(m.reals(x), {}, false);
  } else {
    Tensor t(from, x);
    for (std::int64_t i = 0; i < t.count(); ++i)
      t.set_code(i, from == DType::boolean ? m.from(0, 1) : m.from(0, 100));
    b.input(std::move(t), {}, false);
  }
  b.node().attrs.set("to", std::string(name_of(types[to])));
  return b.finish(types[to], {});
}

std::optional<KernelCase> choice(CaseMaker& m) {
  CaseBuilder b("Where");
  const Shape x = small_shape(m, m.from(0, 3));
  const DType t = m.coin() ? DType::f32 : DType::i8;
  const QuantParams q = t == DType::f32 ? QuantParams{} : m.quant(t);
  Tensor c(DType::boolean, x);
  for (std::int64_t i = 0; i < c.count(); ++i) c.set_code(i, m.from(0, 1));
  b.input(std::move(c), {}, false);
  for (int i = 0; i < 2; ++i) b.input(t == DType::f32 ? m.reals(x) : m.codes(t, x), q, false);
  return b.finish(t, q);
}

std::optional<KernelCase> dynamic_codes(CaseMaker& m) {
  CaseBuilder b("DynamicQuantizeLinear");
  b.input(m.reals(small_shape(m, 2)), {}, false);
  return b.finish(DType::u8, {});
}

std::optional<KernelCase> quantize_wide(CaseMaker& m) {
  const bool to = m.coin();
  CaseBuilder b(to ? "QuantizeLinear" : "DequantizeLinear");
  const QuantParams q = quant_of(m, DType::i16);
  const Shape x = small_shape(m, m.from(0, 3));
  b.input(to ? m.reals(x) : m.codes(DType::i16, x), to ? QuantParams{} : q, false);
  b.input(Tensor::scalar(static_cast<float>(q.scale[0])), {}, true);
  return to ? b.finish(DType::i16, q) : b.finish(DType::f32, {});
}

// Reals for codes of this scale: ties, what lies beyond every code and beyond int32, no numbers.
Tensor hard_reals(CaseMaker& m, Shape shape, float scale) {
  static constexpr std::array special{std::numeric_limits<float>::quiet_NaN(),
                                      std::numeric_limits<float>::infinity(),
                                      -std::numeric_limits<float>::infinity(),
                                      std::numeric_limits<float>::max(),
                                      std::numeric_limits<float>::lowest(),
                                      0.0f,
                                      -0.0f,
                                      std::numeric_limits<float>::denorm_min()};
  Tensor x(DType::f32, std::move(shape));
  for (float& v : x.as<float>()) {
    const auto half = static_cast<float>(2 * m.from(-200, 200) + 1) / 2;
    switch (m.from(0, 4)) {
      case 0:
        v = special[static_cast<std::size_t>(m.from(0, std::ssize(special) - 1))];
        break;
      case 1:
        v = half * scale;
        break;
      case 2:
        v = std::nextafter(half * scale, m.coin() ? 1e9f : -1e9f);
        break;
      case 3:  // about 2^31 steps, on either side
        v = (m.coin() ? 0x1p31f : -0x1p31f) * scale *
            (1 + static_cast<float>(m.from(-2, 2)) * 0x1p-23f);
        break;
      default:
        v = static_cast<float>(m.from(-1 << 20, 1 << 20)) * 0x1p-12f * scale;
    }
  }
  return x;
}

std::optional<KernelCase> quantize_bytes(CaseMaker& m) {
  CaseBuilder b("QuantizeLinear");
  const DType t = m.byte_type();
  QuantParams q = m.quant(t);
  if (m.coin()) q.scale[0] = 0x1p-5;  // quotients are exact: ties are met
  const auto scale = static_cast<float>(q.scale[0]);
  Tensor zero(t, {});
  zero.set_code(0, q.zero_at(0));
  b.input(hard_reals(m, small_shape(m, m.from(0, 3)), scale), {}, false);
  b.input(Tensor::scalar(scale), {}, true);
  b.input(std::move(zero), {}, true);
  return b.finish(t, q);
}

std::optional<KernelCase> negation(CaseMaker& m) {
  CaseBuilder b("Not");
  Tensor c(DType::boolean, small_shape(m, m.from(0, 3)));
  for (std::int64_t i = 0; i < c.count(); ++i) c.set_code(i, m.from(0, 1));
  b.input(std::move(c), {}, false);
  return b.finish(DType::boolean, {});
}

constexpr RtSource sources[] = {
    {"function", function, 6},
    {"real_function", real_function, 4},  // of 26 kinds, each of which has a kernel
    {"requantize", requantize},
    {"cast", cast},
    {"where", choice},
    {"quantize16", quantize_wide},
    {"quantize8", quantize_bytes, 3},  // floats that are ties, beyond the codes, no numbers
    {"dynamic", dynamic_codes},
    {"not", negation},
};

}  // namespace

std::span<const RtSource> rt_values() {
  return sources;
}

}  // namespace lockstep::test
