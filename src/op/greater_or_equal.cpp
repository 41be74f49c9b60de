// y = a >= b
#include "op/op_logic.h"

namespace lockstep {
namespace {

Result<void> from_tflite(const ForeignNode& f, GraphBuilder& graph) {
  return comparison_from(f, graph, "GreaterOrEqual");
}

constexpr Foreign from[] = {{Format::onnx, "GreaterOrEqual"},
                            {Format::tflite, "GREATER_EQUAL", from_tflite}};

Result<void> eval(EvalContext& c) {
  return compare(c, [](auto a, auto b) { return a >= b; });
}

}  // namespace

extern constinit const OpDef op_greater_or_equal = {
    .name = "GreaterOrEqual",
    .meaning = "y = a >= b",
    .inputs = logic_inputs,
    .outputs = logic_outputs,
    .attrs = comparison_attrs,
    .rules = comparison_rules,
    .infer = infer_truth,
    .eval = eval,
    .from = from,
};

}  // namespace lockstep
