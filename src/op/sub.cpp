// y = act(a - b), spread to one shape; codes are subtracted on a finer common grid (N59).
#include "op/op_binary.h"

namespace lockstep {
namespace {

constexpr Slot inputs[] = {{"a"}, {"b"}};
constexpr Slot outputs[] = {{"y"}};
constexpr AttrSpec attrs[] = {{"activation", "none", "fused activation"}};

Result<void> eval(EvalContext& c) {
  return eval_binary(c, c.num.sub, "Sub", [](auto a, auto b) { return wrapping_sub(a, b); });
}

Result<void> from_tflite(const ForeignNode& f, GraphBuilder& graph) {
  return binary_from_tflite(f, graph, "Sub");
}
Result<void> from_onnx(const ForeignNode& f, GraphBuilder& graph) {
  return binary_from_onnx(f, graph, "Sub");
}

constexpr Foreign from[] = {{Format::onnx, "Sub", from_onnx}, {Format::tflite, "SUB", from_tflite}};

}  // namespace

extern constinit const OpDef op_sub = {
    .name = "Sub",
    .meaning = "y = act(a - b)",
    .inputs = inputs,
    .outputs = outputs,
    .attrs = attrs,
    .infer = binary_facts,
    .eval = eval,
    .from = from,
};

}  // namespace lockstep
