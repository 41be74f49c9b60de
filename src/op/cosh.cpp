// y = (e^x + e^-x) / 2
#include <cmath>

#include "op/op_functions.h"

namespace lockstep {
namespace {

constexpr Foreign from[] = {{Format::onnx, "Cosh"}};

Result<void> eval(EvalContext& c) {
  if (by_own_steps(c, &RealFunctions::cosh)) return {};
  return map_reals(c, [](double x) { return std::cosh(x); });
}

}  // namespace

extern constinit const OpDef op_cosh = {
    .name = "Cosh",
    .meaning = "y = (e^x + e^-x) / 2",
    .inputs = unary_inputs,
    .outputs = unary_outputs,
    .infer = infer_like_first,
    .eval = eval,
    .from = from,
};

}  // namespace lockstep
