// y = a == b
#include "op/op_logic.h"

namespace lockstep {
namespace {

Result<void> from_tflite(const ForeignNode& f, GraphBuilder& graph) {
  return comparison_from(f, graph, "Equal");
}

constexpr Foreign from[] = {{Format::onnx, "Equal"}, {Format::tflite, "EQUAL", from_tflite}};

Result<void> eval(EvalContext& c) {
  return compare(c, [](auto a, auto b) { return a == b; });
}

}  // namespace

extern constinit const OpDef op_equal = {
    .name = "Equal",
    .meaning = "y = a == b",
    .inputs = logic_inputs,
    .outputs = logic_outputs,
    .attrs = comparison_attrs,
    .rules = comparison_rules,
    .infer = infer_truth,
    .eval = eval,
    .from = from,
};

}  // namespace lockstep
