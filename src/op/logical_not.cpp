// y = not x
#include "op/op_elementwise.h"

namespace lockstep {
namespace {

constexpr Rule rules[] = {
    {"x is bool", [](const NodeView& n) { return n.input(0).dtype == DType::boolean; }}};
constexpr Foreign from[] = {{Format::onnx, "Not"}, {Format::tflite, "LOGICAL_NOT"}};

Result<void> eval(EvalContext& c) {
  const auto x = c.in[0]->as<std::uint8_t>();
  const auto y = c.out[0].as<std::uint8_t>();
  for (std::size_t i = 0; i < x.size(); ++i) y[i] = x[i] == 0;
  return {};
}

}  // namespace

extern constinit const OpDef op_logical_not = {
    .name = "Not",
    .meaning = "y = not x",
    .inputs = unary_inputs,
    .outputs = unary_outputs,
    .rules = rules,
    .infer = infer_like_first,
    .eval = eval,
    .from = from,
};

}  // namespace lockstep
