// y = ln(x + sqrt(x^2 + 1))
#include <cmath>

#include "op/op_functions.h"

namespace lockstep {
namespace {

constexpr Foreign from[] = {{Format::onnx, "Asinh"}};

Result<void> eval(EvalContext& c) {
  if (by_own_steps(c, &RealFunctions::asinh)) return {};
  return map_reals(c, [](double x) { return std::asinh(x); });
}

}  // namespace

extern constinit const OpDef op_asinh = {
    .name = "Asinh",
    .meaning = "y = ln(x + sqrt(x^2 + 1))",
    .inputs = unary_inputs,
    .outputs = unary_outputs,
    .infer = infer_like_first,
    .eval = eval,
    .from = from,
};

}  // namespace lockstep
