// y = the angle from -pi/2 to pi/2 whose sine is x
#include <cmath>

#include "op/op_functions.h"

namespace lockstep {
namespace {

constexpr Foreign from[] = {{Format::onnx, "Asin"}};

Result<void> eval(EvalContext& c) {
  if (by_own_steps(c, &RealFunctions::asin)) return {};
  return map_reals(c, [](double x) { return std::asin(x); });
}

}  // namespace

extern constinit const OpDef op_asin = {
    .name = "Asin",
    .meaning = "y = the angle from -pi/2 to pi/2 whose sine is x",
    .inputs = unary_inputs,
    .outputs = unary_outputs,
    .infer = infer_like_first,
    .eval = eval,
    .from = from,
};

}  // namespace lockstep
