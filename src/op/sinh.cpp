// y = (e^x - e^-x) / 2
#include <cmath>

#include "op/op_functions.h"

namespace lockstep {
namespace {

constexpr Foreign from[] = {{Format::onnx, "Sinh"}};

Result<void> eval(EvalContext& c) {
  if (by_own_steps(c, &RealFunctions::sinh)) return {};
  return map_reals(c, [](double x) { return std::sinh(x); });
}

}  // namespace

extern constinit const OpDef op_sinh = {
    .name = "Sinh",
    .meaning = "y = (e^x - e^-x) / 2",
    .inputs = unary_inputs,
    .outputs = unary_outputs,
    .infer = infer_like_first,
    .eval = eval,
    .from = from,
};

}  // namespace lockstep
