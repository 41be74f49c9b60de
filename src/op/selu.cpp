// y = gamma * (x where x > 0, else alpha * (e^x - 1))
#include <cmath>

#include "op/op_functions.h"

namespace lockstep {
namespace {

constexpr AttrSpec attrs[] = {{"alpha", "1.67326319", "limit below 0"},
                              {"gamma", "1.05070102", "factor"}};
constexpr Foreign from[] = {{Format::onnx, "Selu"}};

Result<void> eval(EvalContext& c) {
  const double alpha = c.view.attrs().real("alpha", 1.67326319217681884765625f);
  const double gamma = c.view.attrs().real("gamma", 1.05070102214813232421875f);
  if (by_own_steps(c, &RealFunctions::selu, alpha, gamma)) return {};
  return map_reals(c, [&](double x) { return gamma * (x > 0 ? x : alpha * std::expm1(x)); });
}

}  // namespace

extern constinit const OpDef op_selu = {
    .name = "Selu",
    .meaning = "y = gamma * (x where x > 0, else alpha * (e^x - 1))",
    .inputs = unary_inputs,
    .outputs = unary_outputs,
    .attrs = attrs,
    .infer = infer_like_first,
    .eval = eval,
    .from = from,
};

}  // namespace lockstep
