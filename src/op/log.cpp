// y = ln x
#include <cmath>

#include "op/op_functions.h"

namespace lockstep {
namespace {

constexpr Foreign from[] = {{Format::onnx, "Log"}, {Format::tflite, "LOG"}};

Result<void> eval(EvalContext& c) {
  if (on_codes(c.view)) return map_codes(c, c.num.log);
  if (by_own_steps(c, &RealFunctions::log)) return {};
  return map_reals(c, [](double x) { return std::log(x); });
}

}  // namespace

extern constinit const OpDef op_log = {
    .name = "Log",
    .meaning = "y = ln x",
    .inputs = unary_inputs,
    .outputs = unary_outputs,
    .infer = infer_like_first,
    .eval = eval,
    .from = from,
};

}  // namespace lockstep
