// y = 1 / (1 + e^-x)
#include <cmath>

#include "op/op_functions.h"

namespace lockstep {
namespace {

Result<void> from_qlinear(const ForeignNode& f, GraphBuilder& graph) {
  return map_qlinear_unary(f, graph, "Sigmoid", {});
}

constexpr Foreign from[] = {{Format::onnx, "Sigmoid"},
                            {Format::onnx, "com.microsoft:QLinearSigmoid", from_qlinear},
                            {Format::tflite, "LOGISTIC"}};

Result<void> eval(EvalContext& c) {
  if (on_codes(c.view)) return map_codes(c, c.num.sigmoid);
  if (by_own_steps(c, &RealFunctions::sigmoid)) return {};
  if (c.in[0]->dtype() == DType::f32 && c.num.real.sigmoid)
    return map_elements(c, [&](auto x) { return c.num.real.sigmoid(static_cast<float>(x)); });
  return map_reals(c, [](double x) { return 1 / (1 + std::exp(-x)); });
}

}  // namespace

extern constinit const OpDef op_sigmoid = {
    .name = "Sigmoid",
    .meaning = "y = 1 / (1 + e^-x)",
    .inputs = unary_inputs,
    .outputs = unary_outputs,
    .infer = infer_like_first,
    .eval = eval,
    .from = from,
};

}  // namespace lockstep
