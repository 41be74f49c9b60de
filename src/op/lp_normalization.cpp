// y = x / (sum of |x|^p along the axis)^(1/p), p 1 or 2.
#include <cmath>

#include "num/real_functions.h"
#include "op/op_foreign.h"

namespace lockstep {
namespace {

constexpr Slot inputs[] = {{"x"}};
constexpr Slot outputs[] = {{"y"}};
constexpr AttrSpec attrs[] = {{"axis", "-1", "axis of the sum"}, {"p", "2", "1 or 2"}};
constexpr Rule rules[] = {
    {"x is float32", [](const NodeView& n) { return n.input(0).dtype == DType::f32; }},
    {"p is 1 or 2",
     [](const NodeView& n) {
       return n.attrs().integer("p", 2) == 1 || n.attrs().integer("p", 2) == 2;
     }},
};
constexpr Foreign from[] = {{Format::onnx, "LpNormalization"}};

Result<std::vector<Facts>> infer(const NodeView& n) {
  LOCKSTEP_TRY([[maybe_unused]] const std::size_t axis,
               normal_axis(n, n.attrs().integer("axis", -1), n.input(0).shape.size()));
  return std::vector<Facts>{{DType::f32, n.input(0).shape, {}}};
}

Result<void> eval(EvalContext& c) {
  const Shape& shape = c.in[0]->shape();
  LOCKSTEP_TRY(const std::size_t axis,
               normal_axis(c.view, c.view.attrs().integer("axis", -1), shape.size()));
  const bool square = c.view.attrs().integer("p", 2) == 2;
  const auto x = c.in[0]->as<float>();
  const auto y = c.out[0].as<float>();
  const auto length = static_cast<std::size_t>(shape[axis]);
  const auto step = static_cast<std::size_t>(
      count_of(Shape(shape.begin() + static_cast<std::ptrdiff_t>(axis) + 1, shape.end())));
  if (x.empty()) return {};
  for (std::size_t row = 0; row < x.size() / length; ++row) {
    const std::size_t first = row / step * step * length + row % step;
    double sum = 0;
    for (std::size_t i = 0; i < length; ++i) {
      const double v = x[first + i * step];
      sum += square ? v * v : std::abs(v);
    }
    if (c.num.real.functions && c.num.real.functions->reduce) {  // one by one, in float32
      float own = 0;
      for (std::size_t i = 0; i < length; ++i)
        own += square ? x[first + i * step] * x[first + i * step] : std::abs(x[first + i * step]);
      if (square) own = std::sqrt(own);
      for (std::size_t i = 0; i < length; ++i)
        y[first + i * step] = own == 0 ? 0.f : x[first + i * step] / own;
      continue;
    }
    const double norm = square ? std::sqrt(sum) : sum;
    for (std::size_t i = 0; i < length; ++i)
      y[first + i * step] = norm == 0 ? 0.f : static_cast<float>(x[first + i * step] / norm);
  }
  return {};
}

}  // namespace

extern constinit const OpDef op_lp_normalization = {
    .name = "LpNormalization",
    .meaning = "y = x / norm of x along the axis",
    .inputs = inputs,
    .outputs = outputs,
    .attrs = attrs,
    .rules = rules,
    .infer = infer,
    .eval = eval,
    .from = from,
};

}  // namespace lockstep
