// y = the integer nearest to x, ties to the even one
#include "num/real.h"
#include "op/op_elementwise.h"

namespace lockstep {
namespace {

constexpr Foreign from[] = {{Format::onnx, "Round"}, {Format::tflite, "ROUND"}};

Result<void> eval(EvalContext& c) {
  return map_reals(c, [](double x) { return half_even(x); });
}

}  // namespace

extern constinit const OpDef op_round = {
    .name = "Round",
    .meaning = "y = the integer nearest to x, ties to the even one",
    .inputs = unary_inputs,
    .outputs = unary_outputs,
    .infer = infer_like_first,
    .eval = eval,
    .from = from,
};

}  // namespace lockstep
