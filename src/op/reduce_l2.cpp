// y = sqrt(sum of x^2 over the axes)
#include <cmath>

#include "op/op_reduce.h"

namespace lockstep {
namespace {

constexpr Foreign from[] = {{Format::onnx, "ReduceL2"}};

Result<void> eval(EvalContext& c) {
  return reduce_reals(
      c, RealReduction::l2, [](double x) { return x * x; },
      [](double sum, double) { return std::sqrt(sum); });
}

}  // namespace

extern constinit const OpDef op_reduce_l2 = {
    .name = "ReduceL2",
    .meaning = "y = sqrt(sum of x^2 over the axes)",
    .inputs = reduce_inputs,
    .outputs = reduce_outputs,
    .attrs = reduce_attrs,
    .rules = reduce_rules,
    .infer = infer_reduce,
    .eval = eval,
    .from = from,
};

}  // namespace lockstep
