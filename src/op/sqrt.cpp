// y = sqrt x
#include <cmath>

#include "op/op_elementwise.h"

namespace lockstep {
namespace {

constexpr Foreign from[] = {{Format::onnx, "Sqrt"}, {Format::tflite, "SQRT"}};

Result<void> eval(EvalContext& c) {
  if (on_codes(c.view)) {
    LOCKSTEP_CHECK(no_code_below_zero(c));
    return map_codes(c, c.num.sqrt);
  }
  return map_reals(c, [](double x) { return std::sqrt(x); });
}

}  // namespace

extern constinit const OpDef op_sqrt = {
    .name = "Sqrt",
    .meaning = "y = sqrt x",
    .inputs = unary_inputs,
    .outputs = unary_outputs,
    .infer = infer_like_first,
    .eval = eval,
    .from = from,
};

}  // namespace lockstep
