// y = x / (1 + |x|)
#include <cmath>

#include "op/op_functions.h"

namespace lockstep {
namespace {

constexpr Foreign from[] = {{Format::onnx, "Softsign"}};

Result<void> eval(EvalContext& c) {
  if (by_own_steps(c, &RealFunctions::softsign)) return {};
  return map_reals(c, [](double x) { return x / (1 + std::abs(x)); });
}

}  // namespace

extern constinit const OpDef op_softsign = {
    .name = "Softsign",
    .meaning = "y = x / (1 + |x|)",
    .inputs = unary_inputs,
    .outputs = unary_outputs,
    .infer = infer_like_first,
    .eval = eval,
    .from = from,
};

}  // namespace lockstep
