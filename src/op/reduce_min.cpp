// y = least x over the axes; infinity of none
#include <limits>

#include "op/op_reduce.h"

namespace lockstep {
namespace {

Result<void> from_tflite(const ForeignNode& f, GraphBuilder& graph) {
  return reduce_from_tflite(f, graph, "ReduceMin");
}

constexpr Foreign from[] = {{Format::onnx, "ReduceMin"},
                            {Format::tflite, "REDUCE_MIN", from_tflite},
                            {Format::tflite, "REDUCE_ALL", from_tflite}};

Result<void> eval(EvalContext& c) {
  const auto none = [](auto type) {
    using Limits = std::numeric_limits<decltype(type)>;
    return Limits::has_infinity ? Limits::infinity() : Limits::max();
  };
  return reduce_choice(c, none, [](auto x, auto best) { return x < best; });
}

}  // namespace

extern constinit const OpDef op_reduce_min = {
    .name = "ReduceMin",
    .meaning = "y = least x over the axes; infinity of none",
    .inputs = reduce_inputs,
    .outputs = reduce_outputs,
    .attrs = reduce_attrs,
    .rules = reduce_rules,
    .infer = infer_reduce_codes,
    .eval = eval,
    .from = from,
};

}  // namespace lockstep
