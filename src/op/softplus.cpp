// y = ln(1 + e^x)
#include <cmath>

#include "op/op_functions.h"

namespace lockstep {
namespace {

constexpr Foreign from[] = {{Format::onnx, "Softplus"}};

Result<void> eval(EvalContext& c) {
  if (by_own_steps(c, &RealFunctions::softplus)) return {};
  return map_reals(
      c, [](double x) { return x > 0 ? x + std::log1p(std::exp(-x)) : std::log1p(std::exp(x)); });
}

}  // namespace

extern constinit const OpDef op_softplus = {
    .name = "Softplus",
    .meaning = "y = ln(1 + e^x)",
    .inputs = unary_inputs,
    .outputs = unary_outputs,
    .infer = infer_like_first,
    .eval = eval,
    .from = from,
};

}  // namespace lockstep
