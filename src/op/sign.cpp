// y = -1, 0 or 1 as x is below, at or above 0
#include "op/op_elementwise.h"

namespace lockstep {
namespace {

constexpr Foreign from[] = {{Format::onnx, "Sign"}, {Format::tflite, "SIGN"}};

Result<void> eval(EvalContext& c) {
  return map_elements(c, [](auto x) { return (x > 0) - (x < 0); });
}

}  // namespace

extern constinit const OpDef op_sign = {
    .name = "Sign",
    .meaning = "y = -1, 0 or 1 as x is below, at or above 0",
    .inputs = unary_inputs,
    .outputs = unary_outputs,
    .infer = infer_like_first,
    .eval = eval,
    .from = from,
};

}  // namespace lockstep
