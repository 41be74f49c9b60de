// y = x * max(0, min(1, x / 6 + 1 / 2))
#include <algorithm>

#include "op/op_functions.h"

namespace lockstep {
namespace {

constexpr Foreign from[] = {{Format::onnx, "HardSwish"}, {Format::tflite, "HARD_SWISH"}};

Result<void> eval(EvalContext& c) {
  if (on_codes(c.view)) return map_codes(c, c.num.hard_swish);
  if (by_own_steps(c, &RealFunctions::hard_swish)) return {};
  return map_reals(c, [](double x) { return x * std::clamp(x / 6 + 0.5, 0.0, 1.0); });
}

}  // namespace

extern constinit const OpDef op_hard_swish = {
    .name = "HardSwish",
    .meaning = "y = x * max(0, min(1, x / 6 + 1 / 2))",
    .inputs = unary_inputs,
    .outputs = unary_outputs,
    .infer = infer_like_first,
    .eval = eval,
    .from = from,
};

}  // namespace lockstep
