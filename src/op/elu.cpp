// y = x where x >= 0, else alpha * (e^x - 1)
#include <cmath>

#include "op/op_functions.h"

namespace lockstep {
namespace {

constexpr AttrSpec attrs[] = {{"alpha", "1", "limit below 0"}};
constexpr Foreign from[] = {{Format::onnx, "Elu"}, {Format::tflite, "ELU"}};

Result<void> eval(EvalContext& c) {
  if (on_codes(c.view)) return map_codes(c, c.num.elu);
  const double alpha = c.view.attrs().real("alpha", 1);
  if (by_own_steps(c, &RealFunctions::elu, alpha)) return {};
  return map_reals(c, [&](double x) { return x >= 0 ? x : alpha * std::expm1(x); });
}

}  // namespace

extern constinit const OpDef op_elu = {
    .name = "Elu",
    .meaning = "y = x where x >= 0, else alpha * (e^x - 1)",
    .inputs = unary_inputs,
    .outputs = unary_outputs,
    .attrs = attrs,
    .infer = infer_like_first,
    .eval = eval,
    .from = from,
};

}  // namespace lockstep
