// y = ln((1 + x) / (1 - x)) / 2
#include <cmath>

#include "op/op_functions.h"

namespace lockstep {
namespace {

constexpr Foreign from[] = {{Format::onnx, "Atanh"}};

Result<void> eval(EvalContext& c) {
  if (by_own_steps(c, &RealFunctions::atanh)) return {};
  return map_reals(c, [](double x) { return std::atanh(x); });
}

}  // namespace

extern constinit const OpDef op_atanh = {
    .name = "Atanh",
    .meaning = "y = ln((1 + x) / (1 - x)) / 2",
    .inputs = unary_inputs,
    .outputs = unary_outputs,
    .infer = infer_like_first,
    .eval = eval,
    .from = from,
};

}  // namespace lockstep
