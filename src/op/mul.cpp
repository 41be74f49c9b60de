// y = act(a * b), spread to one shape; codes through one multiplier (N60).
#include "op/op_binary.h"
#include "op/op_marks.h"
#include "op/op_qlinear.h"

namespace lockstep {
namespace {

constexpr Slot inputs[] = {{"a"}, {"b"}};
constexpr Slot outputs[] = {{"y"}};
constexpr AttrSpec attrs[] = {{"activation", "none", "fused activation"}, codes_mark, makes_mark};

Result<void> eval(EvalContext& c) {
  return eval_binary(c, c.num.mul, "Mul", [](auto a, auto b) { return wrapping_mul(a, b); });
}

Result<void> from_tflite(const ForeignNode& f, GraphBuilder& graph) {
  return binary_from_tflite(f, graph, "Mul");
}
Result<void> from_onnx(const ForeignNode& f, GraphBuilder& graph) {
  return binary_from_onnx(f, graph, "Mul");
}

// x * x
Result<void> square_from_tflite(const ForeignNode& f, GraphBuilder& graph) {
  ForeignNode both = f;
  if (f.inputs.size() == 1) both.inputs.push_back(f.inputs[0]);
  return binary_from_tflite(both, graph, "Mul");
}

constexpr Foreign from[] = {{Format::onnx, "com.microsoft:QLinearMul", from_qlinear_mul},
                            {Format::onnx, "Mul", from_onnx},
                            {Format::tflite, "MUL", from_tflite},
                            {Format::tflite, "SQUARE", square_from_tflite}};

}  // namespace

extern constinit const OpDef op_mul = {
    .name = "Mul",
    .meaning = "y = act(a * b)",
    .inputs = inputs,
    .outputs = outputs,
    .attrs = attrs,
    .infer = binary_facts,
    .eval = eval,
    .from = from,
};

}  // namespace lockstep
