// y = act(a / b), spread to one shape, integers toward zero; codes through a reciprocal (N74).
#include "op/op_binary.h"

namespace lockstep {
namespace {

constexpr Slot inputs[] = {{"a"}, {"b"}};
constexpr Slot outputs[] = {{"y"}};
constexpr AttrSpec attrs[] = {{"activation", "none", "fused activation"}};

Result<void> eval(EvalContext& c) {
  return eval_binary(c, c.num.div, "Div", [](auto a, auto b) { return wrapping_div(a, b); });
}

Result<void> from_tflite(const ForeignNode& f, GraphBuilder& graph) {
  return binary_from_tflite(f, graph, "Div");
}
Result<void> from_onnx(const ForeignNode& f, GraphBuilder& graph) {
  return binary_from_onnx(f, graph, "Div");
}

constexpr Foreign from[] = {{Format::onnx, "Div", from_onnx}, {Format::tflite, "DIV", from_tflite}};

}  // namespace

extern constinit const OpDef op_div = {
    .name = "Div",
    .meaning = "y = act(a / b)",
    .inputs = inputs,
    .outputs = outputs,
    .attrs = attrs,
    .infer = binary_facts,
    .eval = eval,
    .from = from,
};

}  // namespace lockstep
