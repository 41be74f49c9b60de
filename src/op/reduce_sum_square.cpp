// y = sum of x^2 over the axes
#include "op/op_reduce.h"

namespace lockstep {
namespace {

constexpr Foreign from[] = {{Format::onnx, "ReduceSumSquare"}};

Result<void> eval(EvalContext& c) {
  return reduce_reals(
      c, RealReduction::sum_square, [](double x) { return x * x; },
      [](double sum, double) { return sum; });
}

}  // namespace

extern constinit const OpDef op_reduce_sum_square = {
    .name = "ReduceSumSquare",
    .meaning = "y = sum of x^2 over the axes",
    .inputs = reduce_inputs,
    .outputs = reduce_outputs,
    .attrs = reduce_attrs,
    .rules = reduce_rules,
    .infer = infer_reduce,
    .eval = eval,
    .from = from,
};

}  // namespace lockstep
