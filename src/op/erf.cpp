// y = erf x
#include <cmath>

#include "op/op_functions.h"

namespace lockstep {
namespace {

constexpr Foreign from[] = {{Format::onnx, "Erf"}};

Result<void> eval(EvalContext& c) {
  if (by_own_steps(c, &RealFunctions::erf)) return {};
  return map_reals(c, [](double x) { return std::erf(x); });
}

}  // namespace

extern constinit const OpDef op_erf = {
    .name = "Erf",
    .meaning = "y = erf x",
    .inputs = unary_inputs,
    .outputs = unary_outputs,
    .infer = infer_like_first,
    .eval = eval,
    .from = from,
};

}  // namespace lockstep
