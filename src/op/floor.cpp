// y = greatest integer <= x
#include <cmath>

#include "op/op_elementwise.h"

namespace lockstep {
namespace {

constexpr Foreign from[] = {{Format::onnx, "Floor"}, {Format::tflite, "FLOOR"}};

Result<void> eval(EvalContext& c) {
  return map_reals(c, [](double x) { return std::floor(x); });
}

}  // namespace

extern constinit const OpDef op_floor = {
    .name = "Floor",
    .meaning = "y = greatest integer <= x",
    .inputs = unary_inputs,
    .outputs = unary_outputs,
    .infer = infer_like_first,
    .eval = eval,
    .from = from,
};

}  // namespace lockstep
