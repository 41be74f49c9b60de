// y = least integer >= x
#include <cmath>

#include "op/op_elementwise.h"

namespace lockstep {
namespace {

constexpr Foreign from[] = {{Format::onnx, "Ceil"}, {Format::tflite, "CEIL"}};

Result<void> eval(EvalContext& c) {
  return map_reals(c, [](double x) { return std::ceil(x); });
}

}  // namespace

extern constinit const OpDef op_ceil = {
    .name = "Ceil",
    .meaning = "y = least integer >= x",
    .inputs = unary_inputs,
    .outputs = unary_outputs,
    .infer = infer_like_first,
    .eval = eval,
    .from = from,
};

}  // namespace lockstep
