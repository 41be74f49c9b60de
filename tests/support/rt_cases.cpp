#include "support/rt_cases.h"

#include "support/rt_cases_sequences.h"

#include <array>
#include <cmath>

namespace lockstep::test {
namespace {

Shape small_shape(CaseMaker& m, std::int64_t rank) {
  Shape s;
  for (std::int64_t a = 0; a < rank; ++a) s.push_back(m.from(1, m.from(0, 6) == 0 ? 40 : 5));
  return s;
}

DType code_type(CaseMaker& m) {
  const auto kind = m.from(0, 3);
  return kind == 0 ? DType::i16 : kind == 1 ? DType::u8 : DType::i8;
}

// Codes of 16 bits have no zero point.
QuantParams quant_of(CaseMaker& m, DType t) {
  return m.quant(t, 1, -1, t != DType::i16);
}

template <std::size_t N>
std::string one_of(CaseMaker& m, const std::array<const char*, N>& names) {
  return names[static_cast<std::size_t>(m.from(0, N - 1))];
}

// By the PC's kernel of that name.
template <const char* Name>
std::optional<KernelCase> of_kernel(CaseMaker& m) {
  return kernel_case(*find_kernel(Name), static_cast<std::uint64_t>(m.from(1, 1 << 30)));
}
constexpr char concat[] = "concat", moves[] = "moves", places[] = "places_avx2",
               pool[] = "pool_avx2", means[] = "means_avx2", transpose[] = "transpose",
               reals[] = "reals_rows", code_pairs[] = "codes_rows",
               dequantize[] = "dequantize_rows", products[] = "products_reals";

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

std::optional<KernelCase> wide_pool(CaseMaker& m) {
  static constexpr std::array names{"MaxPool", "AveragePool"};
  CaseBuilder b(one_of(m, names));
  const DType t = m.from(0, 2) == 0 ? DType::f32 : DType::i16;
  const Shape x{m.from(1, 2), m.from(1, 9), m.from(1, 9), m.from(1, 20)};
  const QuantParams q = t == DType::f32 ? QuantParams{} : quant_of(m, t);
  b.input(t == DType::f32 ? m.reals(x) : m.codes(t, x), q, false);
  Attrs& a = b.node().attrs;
  a.set("layout", std::string("NHWC"));
  a.set("kernel_shape", std::vector<std::int64_t>{m.from(1, 4), m.from(1, 4)});
  a.set("strides", std::vector<std::int64_t>{m.from(1, 3), m.from(1, 3)});
  a.set("pads", std::vector<std::int64_t>{m.from(0, 1), m.from(0, 1), m.from(0, 1), m.from(0, 1)});
  return b.finish(t, q);
}

std::optional<KernelCase> row_codes(CaseMaker& m) {
  static constexpr std::array names{"Softmax", "LogSoftmax", "L2Normalization"};
  CaseBuilder b(one_of(m, names));
  const bool real = m.from(0, 3) == 0;
  const DType t = real ? DType::f32 : code_type(m);
  const Shape x = small_shape(m, m.from(1, 3));
  b.input(real ? m.reals(x) : m.codes(t, x), real ? QuantParams{} : quant_of(m, t), false);
  if (real && b.node().op == "L2Normalization")
    b.node().attrs.set("activation", std::string("relu"));
  QuantParams q;
  // The one output quantization that TFLite takes, and any.
  const bool fixed = m.coin();
  if (!real) q = quant_of(m, t);
  if (!real && fixed && t != DType::i16) {
    const bool log = b.node().op == "LogSoftmax", length = b.node().op == "L2Normalization";
    q.scale = {log ? 16.0 / 256 : length ? 1.0 / 128 : 1.0 / 256};
    q.zero = {log ? 127 : length ? 0 : -128};
    if (t == DType::u8) q.zero[0] += 128;
  }
  if (!real && t == DType::i16 && b.node().op == "Softmax") q.scale = {1.0 / 32768};
  return b.finish(t, q);
}

std::optional<KernelCase> transposed_convolution(CaseMaker& m) {
  CaseBuilder b("ConvTranspose");
  const bool real = m.from(0, 2) == 0;
  const std::int64_t ic = m.from(1, 9), oc = m.from(1, 9), kh = m.from(1, 4), kw = m.from(1, 4);
  const DType t = m.coin() ? DType::i8 : m.coin() ? DType::u8 : DType::i16;
  const Shape x{m.from(1, 2), m.from(1, 6), m.from(1, 6), ic}, w{oc, kh, kw, ic};
  b.input(real ? m.reals(x) : m.codes(t, x), real ? QuantParams{} : quant_of(m, t), false);
  b.input(real ? m.reals(w) : m.codes(DType::i8, w),
          real ? QuantParams{} : m.quant(DType::i8, oc, 0, false), true);
  Attrs& a = b.node().attrs;
  a.set("layout", std::string("NHWC"));
  a.set("weights", std::string("OHWI"));
  a.set("strides", std::vector<std::int64_t>{m.from(1, 3), m.from(1, 3)});
  return real ? b.finish(DType::f32, {}) : b.finish(t, quant_of(m, t));
}

std::optional<KernelCase> bilinear(CaseMaker& m) {
  CaseBuilder b("ResizeBilinear");
  const DType t = m.from(0, 2) == 0 ? DType::f32 : code_type(m);
  const Shape x{m.from(1, 2), m.from(1, 7), m.from(1, 7), m.from(1, 9)};
  const QuantParams q = t == DType::f32 ? QuantParams{} : quant_of(m, t);
  b.input(t == DType::f32 ? m.reals(x) : m.codes(t, x), q, false);
  Tensor size(DType::i32, {2});
  size.set_code(0, m.from(1, 12)), size.set_code(1, m.from(1, 12));
  b.input(std::move(size), {}, true);
  b.node().attrs.set(m.coin() ? "align_corners" : "half_pixel_centers", m.from(0, 1));
  b.node().attrs.set("layout", std::string("NHWC"));
  return b.finish(t, q);
}

std::optional<KernelCase> reduction(CaseMaker& m) {
  static constexpr std::array names{"ReduceSum",  "ReduceMean", "ReduceMax", "ReduceMin",
                                    "ReduceProd", "ReduceL1",   "ReduceL2",  "ReduceSumSquare"};
  CaseBuilder b(one_of(m, names));
  const DType t = m.coin() ? DType::f32 : code_type(m);
  const std::int64_t rank = m.from(1, 4);
  const Shape x = small_shape(m, rank);
  const QuantParams q = t == DType::f32 ? QuantParams{} : quant_of(m, t);
  b.input(t == DType::f32 ? m.reals(x) : m.codes(t, x), q, false);
  std::vector<std::int64_t> axes;
  for (std::int64_t a = 0; a < rank; ++a)
    if (m.coin()) axes.push_back(a);
  if (!axes.empty()) b.node().attrs.set("axes", axes);
  b.node().attrs.set("keepdims", m.from(0, 1));
  return b.finish(t, t == DType::f32 ? q : m.coin() ? q : quant_of(m, t));
}

std::optional<KernelCase> gather(CaseMaker& m) {
  CaseBuilder b("Gather");
  const std::int64_t rank = m.from(1, 3), axis = m.from(0, rank - 1);
  const Shape x = small_shape(m, rank);
  const DType t = m.coin() ? DType::f32 : code_type(m);
  const QuantParams q = t == DType::f32 ? QuantParams{} : quant_of(m, t);
  b.input(t == DType::f32 ? m.reals(x) : m.codes(t, x), q, m.coin());
  Tensor at(DType::i32, small_shape(m, m.from(0, 2)));
  for (std::int64_t i = 0; i < at.count(); ++i)
    at.set_code(i, m.from(0, x[static_cast<std::size_t>(axis)] - 1));
  b.input(std::move(at), {}, false);
  b.node().attrs.set("axis", axis);
  return b.finish(t, q);
}

std::optional<KernelCase> greatest_place(CaseMaker& m) {
  static constexpr std::array names{"ArgMax", "ArgMin"};
  CaseBuilder b(one_of(m, names));
  const std::int64_t rank = m.from(1, 3);
  const DType t = m.coin() ? DType::f32 : code_type(m);
  const Shape x = small_shape(m, rank);
  b.input(t == DType::f32 ? m.reals(x) : m.codes(t, x),
          t == DType::f32 ? QuantParams{} : quant_of(m, t), false);
  b.node().attrs.set("axis", m.from(0, rank - 1));
  b.node().attrs.set("keepdims", m.from(0, 1));
  return b.finish(DType::i64, {});
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

std::optional<KernelCase> integer_products(CaseMaker& m) {
  CaseBuilder b("MatMulInteger");
  const std::int64_t rows = m.from(1, 5), depth = m.from(1, 40), columns = m.from(1, 20);
  const DType t = m.byte_type();
  b.input(m.codes(t, {rows, depth}), {}, false);
  b.input(m.codes(DType::i8, {depth, columns}), {}, m.coin());
  return b.finish(DType::i32, {});
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

std::optional<KernelCase> normalization(CaseMaker& m) {
  CaseBuilder b("LayerNormalization");
  const Shape x = small_shape(m, 2);
  b.input(m.reals(x), {}, false);
  b.input(m.reals({x[1]}), {}, true);
  if (m.coin()) b.input(m.reals({x[1]}), {}, true);
  return b.finish(DType::f32, {});
}

// Windows that see nothing but padding, and tensors of one element.
std::optional<KernelCase> all_padding(CaseMaker& m) {
  static constexpr std::array names{"Conv", "MaxPool", "AveragePool"};
  CaseBuilder b(one_of(m, names));
  const DType t = m.byte_type();
  const Shape x{1, m.from(1, 2), m.from(1, 2), m.from(1, 20)};
  const QuantParams q = m.quant(t);
  b.input(m.codes(t, x), q, false);
  Attrs& a = b.node().attrs;
  a.set("layout", std::string("NHWC"));
  a.set("pads", std::vector<std::int64_t>{m.from(1, 3), m.from(1, 3), m.from(1, 3), m.from(1, 3)});
  if (b.node().op != "Conv") {
    a.set("kernel_shape", std::vector<std::int64_t>{m.from(1, 2), m.from(1, 2)});
    return b.finish(t, q);
  }
  const std::int64_t group = m.coin() ? x[3] : 1, outputs = group == 1 ? m.from(1, 9) : x[3];
  b.input(m.codes(DType::i8, {outputs, m.from(1, 2), m.from(1, 2), x[3] / group}),
          m.quant(DType::i8, outputs, 0, false), true);
  a.set("weights", std::string("OHWI"));
  a.set("group", group);
  return b.finish(t, m.quant(t));
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

std::optional<KernelCase> planes(CaseMaker& m) {
  static constexpr std::array names{"InstanceNormalization", "GroupNormalization",
                                    "LpNormalization",       "ReduceLogSumExp",
                                    "ReduceLogSum",          "Celu",
                                    "GlobalAveragePool"};
  CaseBuilder b(one_of(m, names));
  const std::string op = b.node().op;
  const Shape x{m.from(1, 2), 2 * m.from(1, 4), m.from(1, 9), m.from(1, 9)};
  Tensor t = m.reals(x);
  if (op == "ReduceLogSum")
    for (float& v : t.as<float>()) v = std::abs(v) + 0.01f;
  b.input(std::move(t), {}, false);
  if (op.starts_with("Instance") || op.starts_with("Group"))
    b.input(m.reals({x[1]}), {}, true), b.input(m.reals({x[1]}), {}, true);
  if (op.starts_with("Group")) b.node().attrs.set("num_groups", std::int64_t{2});
  if (op.starts_with("Lp"))
    b.node().attrs.set("axis", m.from(0, 3)), b.node().attrs.set("p", m.from(1, 2));
  if (op.starts_with("Reduce"))
    b.node().attrs.set("axes", std::vector<std::int64_t>{m.from(0, 1), m.from(2, 3)});
  return b.finish(DType::f32, {});
}

std::optional<KernelCase> real_pair(CaseMaker& m) {
  static constexpr std::array names{"SquaredDifference", "PRelu", "Div", "Sub"};
  CaseBuilder b(one_of(m, names));
  const Shape x = small_shape(m, m.from(1, 4));
  b.input(m.reals(x), {}, false);
  b.input(m.reals({x.back()}), {}, m.coin());
  return b.finish(DType::f32, {});
}

std::optional<KernelCase> negation(CaseMaker& m) {
  CaseBuilder b("Not");
  Tensor c(DType::boolean, small_shape(m, m.from(0, 3)));
  for (std::int64_t i = 0; i < c.count(); ++i) c.set_code(i, m.from(0, 1));
  b.input(std::move(c), {}, false);
  return b.finish(DType::boolean, {});
}

std::optional<KernelCase> wide_matmul(CaseMaker& m) {
  CaseBuilder b("MatMul");
  const std::int64_t rows = m.from(1, 5), depth = m.from(1, 40), columns = m.from(1, 20);
  const QuantParams q = quant_of(m, DType::i16);
  b.input(m.codes(DType::i16, {rows, depth}), q, false);
  b.input(m.codes(DType::i16, {depth, columns}), quant_of(m, DType::i16), false);
  return b.finish(DType::i16, quant_of(m, DType::i16));
}

// Results of a finer scale than the products: multipliers above 1.
std::optional<KernelCase> finer(CaseMaker& m) {
  CaseBuilder b("Conv");
  const Shape x{1, m.from(1, 4), m.from(1, 4), m.from(1, 20)};
  b.input(m.codes(DType::i8, x), m.quant(DType::i8), false);
  const std::int64_t group = m.coin() ? x[3] : 1, outputs = group == 1 ? m.from(1, 20) : x[3];
  b.input(m.codes(DType::i8, {outputs, 1, 1, x[3] / group}), m.quant(DType::i8, outputs, 0, false),
          true);
  b.node().attrs.set("layout", std::string("NHWC"));
  b.node().attrs.set("weights", std::string("OHWI"));
  b.node().attrs.set("group", group);
  QuantParams y = m.quant(DType::i8);
  y.scale = {1e-6 * static_cast<double>(m.from(1, 400))};
  return b.finish(DType::i8, y);
}

// Of the k greatest, only the values: what is compared is one output.
std::optional<KernelCase> in_order(CaseMaker& m) {
  CaseBuilder b(m.coin() ? "TopK" : "CumSum");
  const std::int64_t rank = m.from(1, 3), axis = m.from(0, rank - 1);
  const Shape x = small_shape(m, rank);
  const bool top = b.node().op == "TopK", real = m.coin();
  const DType t = real ? DType::f32 : top ? DType::i8 : DType::i32;
  Tensor in = real ? m.reals(x) : Tensor(t, x);
  for (std::int64_t i = 0; i < in.count(); ++i)
    if (!real || m.from(0, 3) == 0) in.set_number(i, static_cast<double>(m.from(-4, 4)));
  b.input(std::move(in), {}, false);
  if (top) {
    b.node().attrs.set("k", m.from(1, x[static_cast<std::size_t>(axis)]));
    b.node().attrs.set("axis", axis);
    b.node().attrs.set("largest", m.from(0, 1));
  } else {
    Tensor at(DType::i64, {});
    at.set_code(0, axis);
    b.input(std::move(at), {}, true);
    b.node().attrs.set("exclusive", m.from(0, 1)), b.node().attrs.set("reverse", m.from(0, 1));
  }
  return b.finish(t, {});
}

std::optional<KernelCase> picked(CaseMaker& m) {
  CaseBuilder b(m.coin() ? "GatherElements" : "Trilu");
  const Shape x{m.from(1, 5), m.from(1, 6), m.from(1, 7)};
  const DType t = m.coin() ? DType::f32 : DType::i8;
  const QuantParams q = t == DType::f32 ? QuantParams{} : m.quant(t);
  b.input(t == DType::f32 ? m.reals(x) : m.codes(t, x), q, false);
  if (b.node().op == "GatherElements") {
    Tensor at(DType::i64, {x[0], m.from(1, 9), x[2]});
    for (std::int64_t i = 0; i < at.count(); ++i) at.set_code(i, m.from(-x[1], x[1] - 1));
    b.input(std::move(at), {}, true);
    b.node().attrs.set("axis", std::int64_t{1});
  } else {
    Tensor k(DType::i64, {});
    k.set_code(0, m.from(-3, 3));
    b.input(std::move(k), {}, true);
    b.node().attrs.set("upper", m.from(0, 1));
  }
  return b.finish(t, q);
}

constexpr RtSource sources[] = {
    {"conv", [](CaseMaker& m) { return convolution_case(m, ConvolutionOf::bytes); }},
    {"conv16", [](CaseMaker& m) { return convolution_case(m, ConvolutionOf::words); }},
    {"conv_real", [](CaseMaker& m) { return convolution_case(m, ConvolutionOf::reals); }},
    {"dense", [](CaseMaker& m) { return product_case(m, false); }},
    {"dense16", [](CaseMaker& m) { return product_case(m, true); }},
    {"matmul", code_product_case},
    {"matmul_real", of_kernel<products>},
    {"softmax", softmax_case},
    {"greatest", greatest_case},
    {"concat", of_kernel<concat>},
    {"moves", of_kernel<moves>},
    {"places", of_kernel<places>},
    {"pool", of_kernel<pool>},
    {"means", of_kernel<means>},
    {"transpose", of_kernel<transpose>},
    {"reals", of_kernel<reals>},
    {"pairs", of_kernel<code_pairs>},
    {"dequantize", of_kernel<dequantize>},
    {"all_padding", all_padding},
    {"function", function, 6},
    {"real_function", real_function, 4},  // of 26 kinds, each of which has a kernel
    {"requantize", requantize},
    {"pairs16", wide_pair},
    {"integers", integer_pair},
    {"pool16", wide_pool},
    {"rows", row_codes, 4},
    {"conv_transpose", transposed_convolution},
    {"bilinear", bilinear},
    {"reduction", reduction, 5},
    {"gather", gather},
    {"arg", greatest_place},
    {"cast", cast},
    {"where", choice},
    {"matmul_integer", integer_products},
    {"quantize16", quantize_wide},
    {"dynamic", dynamic_codes},
    {"normalization", normalization},
    {"several", several},
    {"power", remainder_or_power},
    {"planes", planes, 2},
    {"order", in_order},
    {"picked", picked},
    {"real_pair", real_pair},
    {"not", negation},
    {"matmul16", wide_matmul},
    {"finer", finer},
    {"gru", [](CaseMaker& m) { return recurrent_case(m, "GRU"); }},
    {"lstm", [](CaseMaker& m) { return recurrent_case(m, "LSTM"); }},
    {"sequence_lstm", sequence_lstm_case, 2},
};

}  // namespace

std::span<const RtSource> rt_sources() {
  return sources;
}

Result<Graph> side_by_side(std::span<const KernelCase> problems) {
  GraphBuilder g("problems", "onnx");
  for (std::size_t p = 0; p < problems.size(); ++p) {
    const Graph& one = problems[p].graph;
    const std::string prefix = "p" + std::to_string(p) + "_";
    std::vector<ValueId> ids;
    for (const Value& v : one.values()) {
      Value copy = v;
      copy.name = prefix + v.name;
      copy.producer = no_id;
      ids.push_back(g.add_value(std::move(copy)));
    }
    const auto moved = [&](ValueId v) {
      return v == no_id ? no_id : ids[static_cast<std::size_t>(v)];
    };
    for (const ValueId v : one.inputs()) g.add_input(moved(v));
    for (const Node& n : one.nodes()) {
      Node copy = n;
      copy.name = prefix + n.name;
      for (ValueId& v : copy.inputs) v = moved(v);
      for (ValueId& v : copy.outputs) v = moved(v);
      g.add_node(std::move(copy));
    }
    for (const ValueId v : one.outputs()) g.add_output(moved(v));
  }
  return std::move(g).finish();
}

}  // namespace lockstep::test
