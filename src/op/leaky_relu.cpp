// y = x where x >= 0, else alpha * x
#include "op/op_elementwise.h"
#include "op/op_move.h"

namespace lockstep {
namespace {

constexpr AttrSpec attrs[] = {{"alpha", "0.01", "slope below 0"}};

Result<void> from_qlinear(const ForeignNode& f, GraphBuilder& graph) {
  return map_qlinear_unary(f, graph, "LeakyRelu", {"alpha"});
}

Result<void> from_tflite(const ForeignNode& f, GraphBuilder& graph) {
  Attrs attrs_of;
  attrs_of.set("alpha", f.attrs.real("alpha", 0));
  return add_like(f, graph, "LeakyRelu", f.inputs, std::move(attrs_of));
}

constexpr Foreign from[] = {{Format::tflite, "LEAKY_RELU", from_tflite},
                            {Format::onnx, "LeakyRelu"},
                            {Format::onnx, "com.microsoft:QLinearLeakyRelu", from_qlinear}};

Result<void> eval(EvalContext& c) {
  const double alpha = c.view.attrs().real("alpha", 0.01f);
  if (on_codes(c.view)) return map_codes(c, c.num.leaky_relu, alpha);
  return map_reals(c, [&](double x) { return x >= 0 ? x : alpha * x; });
}

}  // namespace

extern constinit const OpDef op_leaky_relu = {
    .name = "LeakyRelu",
    .meaning = "y = x where x >= 0, else alpha * x",
    .inputs = unary_inputs,
    .outputs = unary_outputs,
    .attrs = attrs,
    .infer = infer_like_first,
    .eval = eval,
    .from = from,
};

}  // namespace lockstep
