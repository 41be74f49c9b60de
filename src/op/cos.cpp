// y = cos x
#include <cmath>

#include "op/op_functions.h"

namespace lockstep {
namespace {

constexpr Foreign from[] = {{Format::onnx, "Cos"}, {Format::tflite, "COS"}};

Result<void> eval(EvalContext& c) {
  if (by_own_steps(c, &RealFunctions::cos)) return {};
  return map_reals(c, [](double x) { return std::cos(x); });
}

}  // namespace

extern constinit const OpDef op_cos = {
    .name = "Cos",
    .meaning = "y = cos x",
    .inputs = unary_inputs,
    .outputs = unary_outputs,
    .infer = infer_like_first,
    .eval = eval,
    .from = from,
};

}  // namespace lockstep
