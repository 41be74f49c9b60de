// y = max(0, min(1, alpha * x + beta))
#include <algorithm>

#include "op/op_functions.h"

namespace lockstep {
namespace {

constexpr AttrSpec attrs[] = {{"alpha", "0.2", "slope"}, {"beta", "0.5", "value at 0"}};
constexpr Foreign from[] = {{Format::onnx, "HardSigmoid"}};

Result<void> eval(EvalContext& c) {
  const double alpha = c.view.attrs().real("alpha", 0.2f), beta = c.view.attrs().real("beta", 0.5);
  if (by_own_steps(c, &RealFunctions::hard_sigmoid, alpha, beta)) return {};
  return map_reals(c, [&](double x) { return std::clamp(alpha * x + beta, 0.0, 1.0); });
}

}  // namespace

extern constinit const OpDef op_hard_sigmoid = {
    .name = "HardSigmoid",
    .meaning = "y = max(0, min(1, alpha * x + beta))",
    .inputs = unary_inputs,
    .outputs = unary_outputs,
    .attrs = attrs,
    .infer = infer_like_first,
    .eval = eval,
    .from = from,
};

}  // namespace lockstep
