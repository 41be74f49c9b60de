// y = max(0, x) + min(0, alpha * (e^(x / alpha) - 1))
#include <algorithm>
#include <cmath>

#include "op/op_functions.h"

namespace lockstep {
namespace {

constexpr AttrSpec attrs[] = {{"alpha", "1", "limit below 0"}};
constexpr Foreign from[] = {{Format::onnx, "Celu"}};

Result<void> eval(EvalContext& c) {
  const double alpha = c.view.attrs().real("alpha", 1);
  if (by_own_steps(c, &RealFunctions::celu, alpha)) return {};
  return map_reals(
      c, [&](double x) { return std::max(0.0, x) + std::min(0.0, alpha * std::expm1(x / alpha)); });
}

}  // namespace

extern constinit const OpDef op_celu = {
    .name = "Celu",
    .meaning = "y = max(0, x) + min(0, alpha * (e^(x / alpha) - 1))",
    .inputs = unary_inputs,
    .outputs = unary_outputs,
    .attrs = attrs,
    .infer = infer_like_first,
    .eval = eval,
    .from = from,
};

}  // namespace lockstep
