// y = 1 / x
#include "op/op_elementwise.h"

namespace lockstep {
namespace {

constexpr Foreign from[] = {{Format::onnx, "Reciprocal"}};

Result<void> eval(EvalContext& c) {
  return map_reals(c, [](double x) { return 1 / x; });
}

}  // namespace

extern constinit const OpDef op_reciprocal = {
    .name = "Reciprocal",
    .meaning = "y = 1 / x",
    .inputs = unary_inputs,
    .outputs = unary_outputs,
    .infer = infer_like_first,
    .eval = eval,
    .from = from,
};

}  // namespace lockstep
