// y = ln(sum of e^x over the axes)
#include <cmath>

#include "op/op_reduce.h"

namespace lockstep {
namespace {

constexpr Foreign from[] = {{Format::onnx, "ReduceLogSumExp"}};

Result<void> eval(EvalContext& c) {
  return reduce_reals(
      c, RealReduction::log_sum_exp, [](double x) { return std::exp(x); },
      [](double sum, double) { return std::log(sum); });
}

}  // namespace

extern constinit const OpDef op_reduce_log_sum_exp = {
    .name = "ReduceLogSumExp",
    .meaning = "y = ln(sum of e^x over the axes)",
    .inputs = reduce_inputs,
    .outputs = reduce_outputs,
    .attrs = reduce_attrs,
    .rules = reduce_rules,
    .infer = infer_reduce,
    .eval = eval,
    .from = from,
};

}  // namespace lockstep
