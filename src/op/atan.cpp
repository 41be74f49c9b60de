// y = the angle from -pi/2 to pi/2 whose tangent is x
#include <cmath>

#include "op/op_functions.h"

namespace lockstep {
namespace {

constexpr Foreign from[] = {{Format::onnx, "Atan"}};

Result<void> eval(EvalContext& c) {
  if (by_own_steps(c, &RealFunctions::atan)) return {};
  return map_reals(c, [](double x) { return std::atan(x); });
}

}  // namespace

extern constinit const OpDef op_atan = {
    .name = "Atan",
    .meaning = "y = the angle from -pi/2 to pi/2 whose tangent is x",
    .inputs = unary_inputs,
    .outputs = unary_outputs,
    .infer = infer_like_first,
    .eval = eval,
    .from = from,
};

}  // namespace lockstep
