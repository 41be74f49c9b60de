// y = x is not a number
#include <cmath>

#include "op/op_elementwise.h"

namespace lockstep {
namespace {

constexpr Rule rules[] = {{"x is float32 or float64", [](const NodeView& n) {
                             return n.input(0).dtype == DType::f32 ||
                                    n.input(0).dtype == DType::f64;
                           }}};
constexpr Foreign from[] = {{Format::onnx, "IsNaN"}};

Result<std::vector<Facts>> infer(const NodeView& n) {
  return std::vector<Facts>{{DType::boolean, n.input(0).shape, {}}};
}

Result<void> eval(EvalContext& c) {
  const auto y = c.out[0].as<std::uint8_t>();
  for (std::size_t i = 0; i < y.size(); ++i) {
    const double v = c.in[0]->number(static_cast<std::int64_t>(i));
    y[i] = std::isnan(v);
  }
  return {};
}

}  // namespace

extern constinit const OpDef op_is_nan = {
    .name = "IsNaN",
    .meaning = "y = x is not a number",
    .inputs = unary_inputs,
    .outputs = unary_outputs,
    .rules = rules,
    .infer = infer,
    .eval = eval,
    .from = from,
};

}  // namespace lockstep
