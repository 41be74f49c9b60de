// y = x * sigmoid(alpha x)
#include <cmath>

#include "op/op_functions.h"

namespace lockstep {
namespace {

constexpr AttrSpec attrs[] = {{"alpha", "1.702", "slope of the sigmoid"}};
constexpr Foreign from[] = {{Format::onnx, "com.microsoft:QuickGelu"}};

Result<void> eval(EvalContext& c) {
  const double alpha = c.view.attrs().real("alpha", 1.702f);
  if (by_own_steps(c, &RealFunctions::quick_gelu, alpha)) return {};
  return map_reals(c, [&](double x) { return x / (1 + std::exp(-alpha * x)); });
}

}  // namespace

extern constinit const OpDef op_quick_gelu = {
    .name = "QuickGelu",
    .meaning = "y = x * sigmoid(alpha x)",
    .inputs = unary_inputs,
    .outputs = unary_outputs,
    .attrs = attrs,
    .infer = infer_like_first,
    .eval = eval,
    .from = from,
};

}  // namespace lockstep
