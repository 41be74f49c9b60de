// y[.., ..] = the index k of the least x[.., k, ..] along an axis; of equal ones the first
#include "op/op_arg.h"

namespace lockstep {
namespace {

Result<void> eval(EvalContext& c) {
  return arg_eval(c, false);
}

Result<void> from_tflite(const ForeignNode& f, GraphBuilder& graph) {
  return arg_from_tflite(f, graph, "ArgMin");
}

constexpr Foreign from[] = {{Format::onnx, "ArgMin"}, {Format::tflite, "ARG_MIN", from_tflite}};

}  // namespace

extern constinit const OpDef op_arg_min = {
    .name = "ArgMin",
    .meaning =
        "y[.., ..] = the index k of the least x[.., k, ..] along an axis; of equal ones the first",
    .inputs = arg_inputs,
    .outputs = arg_outputs,
    .attrs = arg_attrs,
    .rules = arg_rules,
    .infer = arg_infer,
    .eval = eval,
    .from = from,
};

}  // namespace lockstep
