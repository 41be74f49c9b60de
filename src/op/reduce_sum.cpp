// y = sum of x over the axes
#include "op/op_reduce.h"

namespace lockstep {
namespace {

constexpr Foreign from[] = {{Format::onnx, "ReduceSum"}};

Result<void> eval(EvalContext& c) {
  return reduce_reals(c, [](double x) { return x; }, [](double sum, double) { return sum; });
}

}  // namespace

extern constinit const OpDef op_reduce_sum = {
    .name = "ReduceSum",
    .meaning = "y = sum of x over the axes",
    .inputs = reduce_inputs,
    .outputs = reduce_outputs,
    .attrs = reduce_attrs,
    .rules = reduce_rules,
    .infer = infer_reduce,
    .eval = eval,
    .from = from,
};

}  // namespace lockstep
