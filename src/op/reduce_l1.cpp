// y = sum of |x| over the axes
#include <cmath>

#include "op/op_reduce.h"

namespace lockstep {
namespace {

constexpr Foreign from[] = {{Format::onnx, "ReduceL1"}};

Result<void> eval(EvalContext& c) {
  return reduce_reals(
      c, RealReduction::l1, [](double x) { return std::abs(x); },
      [](double sum, double) { return sum; });
}

}  // namespace

extern constinit const OpDef op_reduce_l1 = {
    .name = "ReduceL1",
    .meaning = "y = sum of |x| over the axes",
    .inputs = reduce_inputs,
    .outputs = reduce_outputs,
    .attrs = reduce_attrs,
    .rules = reduce_rules,
    .infer = infer_reduce,
    .eval = eval,
    .from = from,
};

}  // namespace lockstep
