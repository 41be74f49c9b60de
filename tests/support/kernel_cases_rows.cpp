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
  }
  return b.finish(DType::f32, {});
}

}  // namespace lockstep::test
