// y[n,c] = (sum over all positions of |x[n,c,k]|^p)^(1/p)
#include <cmath>

#include "op/op_move.h"

namespace lockstep {
namespace {

constexpr Slot inputs[] = {{"x"}};
constexpr Slot outputs[] = {{"y"}};
constexpr AttrSpec attrs[] = {{"p", "2", "the exponent"}};
constexpr Rule rules[] = {
    {"x is float32 with batch and channels, and is not empty",
     [](const NodeView& n) {
       return n.input(0).dtype == DType::f32 && n.input(0).shape.size() >= 2 &&
              count_of(n.input(0).shape) > 0;
     }},
    {"p is 1 or more", [](const NodeView& n) { return n.attrs().integer("p", 2) >= 1; }},
};
constexpr Foreign from[] = {{Format::onnx, "GlobalLpPool"}};

Result<std::vector<Facts>> infer(const NodeView& n) {
  Shape y = n.input(0).shape;
  for (std::size_t d = 2; d < y.size(); ++d) y[d] = 1;
  return std::vector<Facts>{{DType::f32, y, {}}};
}

Result<void> eval(EvalContext& c) {
  const auto x = c.in[0]->as<float>();
  const auto y = c.out[0].as<float>();
  const auto p = static_cast<double>(c.view.attrs().integer("p", 2));
  const float root = 1.0f / static_cast<float>(c.view.attrs().integer("p", 2));
  const std::size_t positions = x.size() / y.size();
  for (std::size_t plane = 0; plane < y.size(); ++plane) {
    float sum = 0;
    for (std::size_t i = 0; i < positions; ++i)
      sum +=
          static_cast<float>(std::pow(std::abs(static_cast<double>(x[plane * positions + i])), p));
    y[plane] = std::pow(sum, root);
  }
  return {};
}

}  // namespace

extern constinit const OpDef op_global_lp_pool = {
    .name = "GlobalLpPool",
    .meaning = "y[n,c] = (sum over all positions of |x[n,c,k]|^p)^(1/p)",
    .inputs = inputs,
    .outputs = outputs,
    .attrs = attrs,
    .rules = rules,
    .infer = infer,
    .eval = eval,
    .from = from,
};

}  // namespace lockstep
