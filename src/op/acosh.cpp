// y = ln(x + sqrt(x^2 - 1))
#include <cmath>

#include "op/op_functions.h"

namespace lockstep {
namespace {

constexpr Foreign from[] = {{Format::onnx, "Acosh"}};

Result<void> eval(EvalContext& c) {
  if (by_own_steps(c, &RealFunctions::acosh)) return {};
  return map_reals(c, [](double x) { return std::acosh(x); });
}

}  // namespace

extern constinit const OpDef op_acosh = {
    .name = "Acosh",
    .meaning = "y = ln(x + sqrt(x^2 - 1))",
    .inputs = unary_inputs,
    .outputs = unary_outputs,
    .infer = infer_like_first,
    .eval = eval,
    .from = from,
};

}  // namespace lockstep
