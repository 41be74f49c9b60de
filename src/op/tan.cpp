// y = tan x
#include <cmath>

#include "op/op_functions.h"

namespace lockstep {
namespace {

constexpr Foreign from[] = {{Format::onnx, "Tan"}};

Result<void> eval(EvalContext& c) {
  if (by_own_steps(c, &RealFunctions::tan)) return {};
  return map_reals(c, [](double x) { return std::tan(x); });
}

}  // namespace

extern constinit const OpDef op_tan = {
    .name = "Tan",
    .meaning = "y = tan x",
    .inputs = unary_inputs,
    .outputs = unary_outputs,
    .infer = infer_like_first,
    .eval = eval,
    .from = from,
};

}  // namespace lockstep
