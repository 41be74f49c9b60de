#include <limits>

#include "support/kernel_case.h"

namespace lockstep::test {

std::optional<KernelCase> softmax_case(CaseMaker& m) {
  CaseBuilder b("Softmax");
  Shape x;
  const auto rank = m.from(1, 4);
  for (std::int64_t a = 0; a < rank; ++a) x.push_back(m.from(1, 20));
  const DType t = m.coin() ? DType::f32 : m.byte_type();
  const QuantParams q = t == DType::f32 ? QuantParams{} : m.quant(t);
  b.input(t == DType::f32 ? m.reals(x) : m.codes(t, x), q, false);
  b.node().attrs.set("axis", m.from(-rank, rank - 1));
  b.node().attrs.set("flatten", m.from(0, 1));
  return b.finish(t, t == DType::f32 ? q : m.quant(t));
}

std::optional<KernelCase> code_rows_case(CaseMaker& m, const std::string& op) {
  CaseBuilder b(op);
  Shape x;
  const auto rank = m.from(1, 4);
  for (std::int64_t a = 0; a < rank; ++a) x.push_back(m.from(1, a + 1 == rank ? 70 : 9));
  const DType t = m.byte_type();
  if (op == "Pack") {
    const DType of = m.coin() ? DType::f32 : t;
    const QuantParams q = of == DType::f32 ? QuantParams{} : m.quant(t);
    for (std::int64_t i = m.from(1, 5); i > 0; --i)
      b.input(of == DType::f32 ? m.reals(x) : m.codes(t, x), q, m.from(0, 5) == 0);
    b.node().attrs.set("axis", m.from(-rank - 1, rank));
    return b.finish(of, q);
  }
  b.input(m.codes(t, x), m.quant(t), false);
  const bool fine = m.coin();
  return b.finish(t, {{op == "L2Normalization" ? 1.0 / 128
                       : fine                  ? 16.0 / 256
                                               : 0.3},
                      {op == "L2Normalization" ? (t == DType::u8 ? 128 : 0)
                                               : static_cast<std::int32_t>(code_range(t).high)},
                      -1});
}

// One operand, two that are spread against each other, or a normalization by channel.
std::optional<KernelCase> rows_case(CaseMaker& m, const std::string& op) {
  CaseBuilder b(op);
  Shape x;
  const auto rank = static_cast<std::size_t>(m.from(op == "BatchNormalization" ? 2 : 1, 5));
  for (std::size_t a = 0; a < rank; ++a) x.push_back(m.from(1, 9));
  const auto spread = [&](bool shorter) {
    Shape s = x;
    for (std::int64_t& extent : s)
      if (m.coin()) extent = 1;
    if (shorter) s.erase(s.begin(), s.begin() + m.from(0, static_cast<std::int64_t>(rank) - 1));
    return s;
  };
  if (op == "BatchNormalization") {
    b.input(m.reals(x), {}, false);
    for (int i = 0; i < 4; ++i) {
      Tensor t = m.reals({x[1]});
      for (float& v : t.as<float>()) v = i == 3 ? v * v : v;
      b.input(std::move(t), {}, true);
    }
  } else if (op == "Pow") {
    constexpr float exponents[] = {2, 3, 0.5f, -1, 1.7f};
    b.input(m.reals(x), {}, false);
    b.input(Tensor::scalar(exponents[m.from(0, 4)]), {}, true);
  } else if (op == "Clip") {
    b.input(m.reals(x), {}, false);
    b.input(Tensor::scalar(-0.5f), {}, true);
    if (m.coin()) b.input(Tensor::scalar(0.75f), {}, true);
  } else if (op == "Add" || op == "Sub" || op == "Mul" || op == "Div" || op == "PRelu") {
    const bool swapped = op != "PRelu" && m.from(0, 3) == 0, constant = m.coin();
    const Shape other = spread(true);
    const bool first_fixed = swapped && constant;
    b.input(m.reals(swapped ? other : x), {}, first_fixed);
    b.input(m.reals(swapped ? x : other), {}, constant && !swapped);
    if (op != "PRelu" && m.coin())
      b.node().attrs.set("activation", std::string(m.coin() ? "relu" : "relu6"));
  } else {
    b.input(m.reals(x), {}, false);
    if (op == "Gelu" && m.coin()) b.node().attrs.set("approximate", std::string("tanh"));
    if (op == "HardSigmoid" && m.coin()) b.node().attrs.set("alpha", 1.0 / 6);
  }
  return b.finish(DType::f32, {});
}

// 16-bit codes of reals: ties, far values, and what is no number.
std::optional<KernelCase> quantize_wide_case(CaseMaker& m) {
  CaseBuilder b("QuantizeLinear");
  const DType t = m.coin() ? DType::i16 : DType::u16;
  const QuantParams q = m.quant(t);
  Tensor x = m.reals({m.from(1, 3), m.from(1, m.coin() ? 9 : 3000)});
  for (float& v : x.as<float>()) {
    const auto kind = m.from(0, 5);
    if (kind < 3)
      v = (static_cast<float>(m.from(-70000, 70000)) + (kind == 0 ? 0.5f : 0.25f)) *
          static_cast<float>(q.scale[0]);
    if (kind == 3 && m.coin()) v = m.coin() ? 3e38f : -std::numeric_limits<float>::infinity();
    if (kind == 4 && m.coin()) v = std::numeric_limits<float>::quiet_NaN();
  }
  Tensor zero(t, {});
  zero.set_code(0, q.zero[0]);
  b.input(std::move(x), {}, false);
  b.input(Tensor::scalar(static_cast<float>(q.scale[0])), {}, true);
  b.input(zero, {}, true);
  return b.finish(t, q);
}

std::optional<KernelCase> dequantize_case(CaseMaker& m) {
  CaseBuilder b("DequantizeLinear");
  Shape x;
  const auto rank = m.from(1, 4), axis = m.from(0, rank - 1);
  for (std::int64_t a = 0; a < rank; ++a) x.push_back(m.from(1, 9));
  const bool by_axis = m.coin(), wide = m.from(0, 3) == 0;
  const std::int64_t channels = by_axis ? x[static_cast<std::size_t>(axis)] : 1;
  const DType t = m.from(0, 3) ? m.byte_type() : m.coin() ? DType::i16 : DType::u16;
  const QuantParams q = m.quant(t, channels, by_axis ? static_cast<int>(axis) : -1);
  b.input(wide ? m.bias(1) : m.codes(t, x), {}, false);
  Tensor scale(DType::f32, by_axis && !wide ? Shape{channels} : Shape{});
  for (std::size_t i = 0; i < scale.as<float>().size(); ++i)
    scale.as<float>()[i] = static_cast<float>(q.scale_at(i));
  b.input(std::move(scale), {}, true);
  if (!wide && m.coin()) {
    Tensor zero(t, by_axis ? Shape{channels} : Shape{});
    for (std::int64_t i = 0; i < zero.count(); ++i)
      zero.set_code(i, q.zero_at(static_cast<std::size_t>(i)));
    b.input(std::move(zero), {}, true);
  }
  if (by_axis) b.node().attrs.set("axis", m.coin() ? axis : axis - rank);
  return b.finish(DType::f32, {});
}

std::optional<KernelCase> real_product_case(CaseMaker& m, const std::string& op) {
  CaseBuilder b(op);
  const std::int64_t rows = m.from(1, 9), depth = m.from(1, m.from(0, 3) ? 70 : 700),
                     columns = m.from(1, 150);
  const bool trans_a = m.from(0, 3) == 0, trans_b = m.coin();
  Shape left = trans_a ? Shape{depth, rows} : Shape{rows, depth},
        right = trans_b ? Shape{columns, depth} : Shape{depth, columns};
  if (op == "MatMul" && m.coin()) left.insert(left.begin(), m.from(1, 4));
  if (op == "MatMul" && m.coin()) right.insert(right.begin(), left.size() > 2 ? left[0] : 1);
  b.input(m.reals(left), {}, false);
  b.input(m.reals(right), {}, m.coin());
  if (trans_a) b.node().attrs.set("transA", std::int64_t{1});
  if (trans_b) b.node().attrs.set("transB", std::int64_t{1});
  if (op == "Gemm") {
    if (m.coin()) b.input(m.reals(m.coin() ? Shape{columns} : Shape{rows, 1}), {}, true);
    if (m.coin()) b.node().attrs.set("alpha", 0.5 + 0.1 * static_cast<double>(m.from(0, 9)));
    if (m.coin()) b.node().attrs.set("beta", 0.5 + 0.1 * static_cast<double>(m.from(0, 9)));
    if (m.coin()) b.node().attrs.set("activation", std::string("relu"));
  }
  return b.finish(DType::f32, {});
}

std::optional<KernelCase> codes_rows_case(CaseMaker& m, const std::string& op) {
  CaseBuilder b(op);
  Shape x, other;
  const auto rank = m.from(1, 5);
  for (std::int64_t a = 0; a < rank; ++a) x.push_back(m.from(1, 9));
  other = x;
  for (std::int64_t& extent : other)
    if (m.coin()) extent = 1;
  other.erase(other.begin(), other.begin() + m.from(0, rank - 1));
  const bool words = m.from(0, 3) == 0;
  const DType t = words ? DType::i16 : m.byte_type();
  const auto quant = [&] { return m.quant(t, 1, -1, !words); };
  const bool swapped = m.coin() && op != "PRelu", constant = m.coin();
  b.input(m.codes(t, swapped ? other : x), quant(), constant && swapped);
  b.input(m.codes(t, swapped ? x : other), quant(), constant && !swapped);
  if (m.coin()) b.node().attrs.set("activation", std::string("relu"));
  return b.finish(t, quant());
}

std::optional<KernelCase> many_case(CaseMaker& m, const std::string& op) {
  CaseBuilder b(op);
  Shape y;
  for (std::int64_t rank = m.from(1, 4); rank > 0; --rank) y.push_back(m.from(1, 9));
  const bool codes = op != "Mean" && op != "Sum" && m.coin();
  const DType t = codes ? m.byte_type() : DType::f32;
  const QuantParams q = codes ? m.quant(t) : QuantParams{};
  const std::int64_t constant = m.from(0, 4);
  for (std::int64_t i = 0, n = m.from(1, 4); i < n; ++i) {
    Shape x = y;
    for (std::int64_t& extent : x)
      if (m.from(0, 3) == 0) extent = 1;
    x.erase(x.begin(),
            x.begin() + (m.coin() ? 0 : m.from(0, static_cast<std::int64_t>(x.size()) - 1)));
    Tensor contents = codes ? m.codes(t, x) : m.reals(x);
    if (!codes && m.from(0, 3) == 0)
      contents.as<float>()[0] = std::numeric_limits<float>::quiet_NaN();
    b.input(std::move(contents), q, i > 0 && i == constant);
  }
  return b.finish(t, q);
}

std::optional<KernelCase> layer_case(CaseMaker& m) {
  CaseBuilder b("LayerNormalization");
  Shape x;
  for (std::int64_t rank = m.from(1, 4); rank > 0; --rank) x.push_back(m.from(1, 21));
  const std::int64_t axis = m.from(0, std::ssize(x) - 1);
  const Shape inner(x.begin() + axis, x.end());
  b.input(m.reals(x), {}, false);
  b.input(m.reals(inner), {}, true);
  if (m.coin()) b.input(m.reals(inner), {}, true);
  b.node().attrs.set("axis", m.coin() ? axis : axis - std::ssize(x));
  return b.finish(DType::f32, {});
}

std::optional<KernelCase> where_case(CaseMaker& m) {
  CaseBuilder b("Where");
  Shape y;
  for (std::int64_t rank = m.from(1, 4); rank > 0; --rank) y.push_back(m.from(1, 9));
  const bool codes = m.coin();
  const DType t = codes ? m.byte_type() : DType::f32;
  const QuantParams q = codes ? m.quant(t) : QuantParams{};
  const std::int64_t constant = m.from(0, 4);
  for (std::int64_t i = 0; i < 3; ++i) {
    Shape x = y;
    for (std::int64_t& extent : x)
      if (m.from(0, 3) == 0) extent = 1;
    x.erase(x.begin(),
            x.begin() + (m.coin() ? 0 : m.from(0, static_cast<std::int64_t>(x.size()) - 1)));
    if (i > 0) {
      b.input(codes ? m.codes(t, x) : m.reals(x), q, i == constant);
      continue;
    }
    Tensor condition(DType::boolean, x);
    for (std::int64_t k = 0; k < condition.count(); ++k) condition.set_code(k, m.from(0, 1));
    b.input(std::move(condition), {}, i == constant);
  }
  return b.finish(t, q);
}

namespace {

std::optional<KernelCase> product_of_two(CaseMaker& m, bool words) {
  CaseBuilder b("MatMul");
  const std::int64_t rows = m.from(1, m.coin() ? 9 : 40),
                     depth = m.from(1, words && m.coin() ? 600 : 70), columns = m.from(1, 150);
  const bool trans_a = m.from(0, 3) == 0, trans_b = m.coin();
  Shape left = trans_a ? Shape{depth, rows} : Shape{rows, depth},
        right = trans_b ? Shape{columns, depth} : Shape{depth, columns};
  if (m.coin()) left.insert(left.begin(), m.from(1, 4));
  if (m.coin()) right.insert(right.begin(), left.size() > 2 ? left[0] : 1);
  const DType t = words ? DType::i16 : m.byte_type(),
              other = words          ? (m.coin() ? DType::i16 : DType::i8)
                      : m.from(0, 3) ? t
                                     : m.byte_type();
  const bool by_column = !trans_b && m.from(0, 3) == 0;
  const auto constant = m.from(0, 5);  // neither, mostly
  b.input(m.codes(t, left), m.quant(t, 1, -1, !words), constant == 0);
  b.input(m.codes(other, right),
          m.quant(other, by_column ? columns : 1,
                  by_column ? static_cast<int>(right.size()) - 1 : -1, !words),
          constant == 1);
  if (trans_a) b.node().attrs.set("transA", std::int64_t{1});
  if (trans_b) b.node().attrs.set("transB", std::int64_t{1});
  if (m.coin()) b.node().attrs.set("activation", std::string("relu"));
  if (words) return b.finish(t, m.quant(t, 1, -1, false));
  if (m.from(0, 4) == 0) return b.finish(DType::f32, {});
  const DType y = m.from(0, 3) ? t : m.byte_type();
  return b.finish(y, m.quant(y));
}

}  // namespace

std::optional<KernelCase> code_product_case(CaseMaker& m) {
  return product_of_two(m, false);
}
std::optional<KernelCase> word_product_case(CaseMaker& m) {
  return product_of_two(m, true);
}

namespace {

std::optional<KernelCase> choice(CaseMaker& m, const std::string& op, bool reals) {
  CaseBuilder b(op);
  Shape x;
  const auto rank = m.from(1, 5);
  for (std::int64_t a = 0; a < rank; ++a) x.push_back(m.from(1, 9));
  const DType t = reals ? DType::f32 : m.byte_type();
  const QuantParams q = t == DType::f32 ? QuantParams{} : m.quant(t);
  b.input(t == DType::f32 ? m.reals(x) : m.codes(t, x), q, false);
  std::vector<std::int64_t> axes;
  for (std::int64_t a = 0; a < rank; ++a)
    if (m.coin()) axes.push_back(m.coin() ? a : a - rank);
  if (!axes.empty()) b.node().attrs.set("axes", axes);
  b.node().attrs.set("keepdims", m.from(0, 1));
  return b.finish(t, q);
}

}  // namespace

std::optional<KernelCase> greatest_case(CaseMaker& m) {
  return choice(m, "ReduceMax", false);
}
std::optional<KernelCase> choice_case(CaseMaker& m, const std::string& op) {
  return choice(m, op, m.from(0, 2) == 0);
}

}  // namespace lockstep::test
