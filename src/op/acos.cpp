// y = the angle from 0 to pi whose cosine is x
#include <cmath>

#include "op/op_functions.h"

namespace lockstep {
namespace {

constexpr Foreign from[] = {{Format::onnx, "Acos"}};

Result<void> eval(EvalContext& c) {
  if (by_own_steps(c, &RealFunctions::acos)) return {};
  return map_reals(c, [](double x) { return std::acos(x); });
}

}  // namespace

extern constinit const OpDef op_acos = {
    .name = "Acos",
    .meaning = "y = the angle from 0 to pi whose cosine is x",
    .inputs = unary_inputs,
    .outputs = unary_outputs,
    .infer = infer_like_first,
    .eval = eval,
    .from = from,
};

}  // namespace lockstep
