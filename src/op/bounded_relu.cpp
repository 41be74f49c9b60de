// y = min(max(x, low), high); codes of x under y's scale and zero point (N66).
#include <algorithm>
#include <limits>

#include "op/op_elementwise.h"
#include "op/op_move.h"

namespace lockstep {
namespace {

constexpr AttrSpec attrs[] = {{"low", "0", "least y"}, {"high", "inf", "greatest y"}};

Result<void> from_tflite(const ForeignNode& f, GraphBuilder& graph) {
  Attrs bounds;
  if (f.op == "RELU_N1_TO_1") bounds.set("low", -1.0);
  if (f.op == "RELU6") bounds.set("high", 6.0);
  if (f.op == "RELU_N1_TO_1" || f.op == "RELU_0_TO_1") bounds.set("high", 1.0);
  return add_like(f, graph, "BoundedRelu", f.inputs, std::move(bounds));
}

constexpr Foreign from[] = {{Format::tflite, "RELU", from_tflite},
                            {Format::tflite, "RELU6", from_tflite},
                            {Format::tflite, "RELU_N1_TO_1", from_tflite},
                            {Format::tflite, "RELU_0_TO_1", from_tflite}};

Result<void> eval(EvalContext& c) {
  const double low = c.view.attrs().real("low", 0),
               high = c.view.attrs().real("high", std::numeric_limits<double>::infinity());
  if (on_codes(c.view)) return map_codes(c, c.num.bounded_relu, low, high);
  return map_reals(c, [&](double x) { return std::min(std::max(x, low), high); });
}

}  // namespace

extern constinit const OpDef op_bounded_relu = {
    .name = "BoundedRelu",
    .meaning = "y = min(max(x, low), high)",
    .inputs = unary_inputs,
    .outputs = unary_outputs,
    .attrs = attrs,
    .infer = infer_like_first,
    .eval = eval,
    .from = from,
};

}  // namespace lockstep
