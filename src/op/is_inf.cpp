// y = x is infinite
#include <cmath>

#include "op/op_elementwise.h"

namespace lockstep {
namespace {

constexpr AttrSpec attrs[] = {{"detect_positive", "1", "0: +infinity does not count"},
                              {"detect_negative", "1", "0: -infinity does not count"}};
constexpr Rule rules[] = {{"x is float32 or float64", [](const NodeView& n) {
                             return n.input(0).dtype == DType::f32 ||
                                    n.input(0).dtype == DType::f64;
                           }}};
constexpr Foreign from[] = {{Format::onnx, "IsInf"}};

Result<std::vector<Facts>> infer(const NodeView& n) {
  return std::vector<Facts>{{DType::boolean, n.input(0).shape, {}}};
}

Result<void> eval(EvalContext& c) {
  const bool positive = c.view.attrs().integer("detect_positive", 1) != 0;
  const bool negative = c.view.attrs().integer("detect_negative", 1) != 0;
  const auto y = c.out[0].as<std::uint8_t>();
  for (std::size_t i = 0; i < y.size(); ++i) {
    const double v = c.in[0]->number(static_cast<std::int64_t>(i));
    y[i] = std::isinf(v) && (v > 0 ? positive : negative);
  }
  return {};
}

}  // namespace

extern constinit const OpDef op_is_inf = {
    .name = "IsInf",
    .meaning = "y = x is infinite",
    .inputs = unary_inputs,
    .outputs = unary_outputs,
    .attrs = attrs,
    .rules = rules,
    .infer = infer,
    .eval = eval,
    .from = from,
};

}  // namespace lockstep
