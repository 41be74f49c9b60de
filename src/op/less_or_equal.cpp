// y = a <= b
#include "op/op_logic.h"

namespace lockstep {
namespace {

constexpr Foreign from[] = {{Format::onnx, "LessOrEqual"}, {Format::tflite, "LESS_EQUAL"}};

Result<void> eval(EvalContext& c) {
  return compare(c, [](auto a, auto b) { return a <= b; });
}

}  // namespace

extern constinit const OpDef op_less_or_equal = {
    .name = "LessOrEqual",
    .meaning = "y = a <= b",
    .inputs = logic_inputs,
    .outputs = logic_outputs,
    .rules = comparison_rules,
    .infer = infer_truth,
    .eval = eval,
    .from = from,
};

}  // namespace lockstep
