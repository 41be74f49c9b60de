// y = x * tanh(ln(1 + e^x))
#include <cmath>

#include "op/op_functions.h"

namespace lockstep {
namespace {

constexpr Foreign from[] = {{Format::onnx, "Mish"}};

Result<void> eval(EvalContext& c) {
  if (by_own_steps(c, &RealFunctions::mish)) return {};
  return map_reals(c, [](double x) { return x * std::tanh(x > 30 ? x : std::log1p(std::exp(x))); });
}

}  // namespace

extern constinit const OpDef op_mish = {
    .name = "Mish",
    .meaning = "y = x * tanh(ln(1 + e^x))",
    .inputs = unary_inputs,
    .outputs = unary_outputs,
    .infer = infer_like_first,
    .eval = eval,
    .from = from,
};

}  // namespace lockstep
