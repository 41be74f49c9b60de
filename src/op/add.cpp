// y = act(a + b), spread to one shape; codes are added on a finer common grid (N59).
#include "op/op_binary.h"
#include "op/op_marks.h"
#include "op/op_qlinear.h"

namespace lockstep {
namespace {

constexpr Slot inputs[] = {{"a"}, {"b"}};
constexpr Slot outputs[] = {{"y"}};
constexpr AttrSpec attrs[] = {{"activation", "none", "fused activation"}, codes_mark, makes_mark};

Result<void> eval(EvalContext& c) {
  return eval_binary(c, c.num.add, "Add", [](auto a, auto b) { return wrapping_add(a, b); });
}

Result<void> from_tflite(const ForeignNode& f, GraphBuilder& graph) {
  return binary_from_tflite(f, graph, "Add");
}
Result<void> from_onnx(const ForeignNode& f, GraphBuilder& graph) {
  return binary_from_onnx(f, graph, "Add");
}

constexpr Foreign from[] = {{Format::onnx, "com.microsoft:QLinearAdd", from_qlinear_add},
                            {Format::onnx, "Add", from_onnx},
                            {Format::tflite, "ADD", from_tflite}};

}  // namespace

extern constinit const OpDef op_add = {
    .name = "Add",
    .meaning = "y = act(a + b)",
    .inputs = inputs,
    .outputs = outputs,
    .attrs = attrs,
    .infer = binary_facts,
    .eval = eval,
    .from = from,
};

}  // namespace lockstep
