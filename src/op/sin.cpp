// y = sin x
#include <cmath>

#include "op/op_functions.h"

namespace lockstep {
namespace {

constexpr Foreign from[] = {{Format::onnx, "Sin"}, {Format::tflite, "SIN"}};

Result<void> eval(EvalContext& c) {
  if (by_own_steps(c, &RealFunctions::sin)) return {};
  return map_reals(c, [](double x) { return std::sin(x); });
}

}  // namespace

extern constinit const OpDef op_sin = {
    .name = "Sin",
    .meaning = "y = sin x",
    .inputs = unary_inputs,
    .outputs = unary_outputs,
    .infer = infer_like_first,
    .eval = eval,
    .from = from,
};

}  // namespace lockstep
