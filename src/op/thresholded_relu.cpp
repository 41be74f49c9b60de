// y = x where x > alpha, else 0
#include "op/op_elementwise.h"

namespace lockstep {
namespace {

constexpr AttrSpec attrs[] = {{"alpha", "1", "threshold"}};
constexpr Foreign from[] = {{Format::onnx, "ThresholdedRelu"}};

Result<void> eval(EvalContext& c) {
  const double alpha = c.view.attrs().real("alpha", 1);
  return map_reals(c, [&](double x) { return x > alpha ? x : 0.0; });
}

}  // namespace

extern constinit const OpDef op_thresholded_relu = {
    .name = "ThresholdedRelu",
    .meaning = "y = x where x > alpha, else 0",
    .inputs = unary_inputs,
    .outputs = unary_outputs,
    .attrs = attrs,
    .infer = infer_like_first,
    .eval = eval,
    .from = from,
};

}  // namespace lockstep
