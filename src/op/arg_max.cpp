// y[.., ..] = the index k of the greatest x[.., k, ..] along an axis; of equal ones the first
#include "op/op_arg.h"

namespace lockstep {
namespace {

Result<void> eval(EvalContext& c) {
  return arg_eval(c, true);
}

Result<void> from_tflite(const ForeignNode& f, GraphBuilder& graph) {
  return arg_from_tflite(f, graph, "ArgMax");
}

constexpr Foreign from[] = {{Format::onnx, "ArgMax"}, {Format::tflite, "ARG_MAX", from_tflite}};

}  // namespace

extern constinit const OpDef op_arg_max = {
    .name = "ArgMax",
    .meaning =
        "y[.., ..] = the index k of the greatest x[.., k, ..] along an axis; of equal ones the "
        "first",
    .inputs = arg_inputs,
    .outputs = arg_outputs,
    .attrs = arg_attrs,
    .rules = arg_rules,
    .infer = arg_infer,
    .eval = eval,
    .from = from,
};

}  // namespace lockstep
