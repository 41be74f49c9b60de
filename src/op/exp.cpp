// y = e^x
#include <cmath>

#include "op/op_functions.h"

namespace lockstep {
namespace {

constexpr Foreign from[] = {{Format::onnx, "Exp"}, {Format::tflite, "EXP"}};

Result<void> eval(EvalContext& c) {
  if (on_codes(c.view)) return map_codes(c, c.num.exp);
  if (by_own_steps(c, &RealFunctions::exp)) return {};
  return map_reals(c, [](double x) { return std::exp(x); });
}

}  // namespace

extern constinit const OpDef op_exp = {
    .name = "Exp",
    .meaning = "y = e^x",
    .inputs = unary_inputs,
    .outputs = unary_outputs,
    .infer = infer_like_first,
    .eval = eval,
    .from = from,
};

}  // namespace lockstep
