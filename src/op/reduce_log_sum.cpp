// y = ln(sum of x over the axes)
#include <cmath>

#include "op/op_reduce.h"

namespace lockstep {
namespace {

constexpr Foreign from[] = {{Format::onnx, "ReduceLogSum"}};

Result<void> eval(EvalContext& c) {
  return reduce_reals(
      c, RealReduction::log_sum, [](double x) { return x; },
      [](double sum, double) { return std::log(sum); });
}

}  // namespace

extern constinit const OpDef op_reduce_log_sum = {
    .name = "ReduceLogSum",
    .meaning = "y = ln(sum of x over the axes)",
    .inputs = reduce_inputs,
    .outputs = reduce_outputs,
    .attrs = reduce_attrs,
    .rules = reduce_rules,
    .infer = infer_reduce,
    .eval = eval,
    .from = from,
};

}  // namespace lockstep
