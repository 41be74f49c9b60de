// y = x
#include "op/op_move.h"

namespace lockstep {
namespace {

constexpr Slot inputs[] = {{"x"}};
constexpr Slot outputs[] = {{"y"}};
constexpr Rule rules[] = {{codes_rule, first_keeps_codes}};

Result<std::vector<Facts>> infer(const NodeView& n) {
  const Value& x = n.input(0);
  return std::vector<Facts>{{x.dtype, x.shape, x.quant}};
}

// At inference nothing is dropped; ratio, seed and training mode have no meaning here.
Result<void> from_dropout(const ForeignNode& foreign, GraphBuilder& graph) {
  if (foreign.outputs.size() > 1 && foreign.outputs[1] != no_id)
    return Error{foreign.where, "the mask of a Dropout", "a model for inference, which has none",
                 ""};
  Node node = node_like(foreign, graph, "Identity");
  node.inputs.resize(1);
  node.outputs.resize(1);
  graph.add_node(std::move(node));
  return {};
}

constexpr Foreign from[] = {{Format::onnx, "Identity"},
                            {Format::tflite, "DENSIFY"},
                            {Format::onnx, "Dropout", from_dropout}};

}  // namespace

extern constinit const OpDef op_identity = {
    .name = "Identity",
    .meaning = "y = x",
    .inputs = inputs,
    .outputs = outputs,
    .rules = rules,
    .infer = infer,
    .eval = copy_whole,
    .from = from,
};

}  // namespace lockstep
