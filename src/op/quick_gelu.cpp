// y = x * sigmoid(alpha x)
#include <cmath>

#include "op/op_codes.h"
#include "op/op_foreign.h"
#include "op/op_functions.h"

namespace lockstep {
namespace {

constexpr AttrSpec attrs[] = {{"alpha", "1.702", "slope of the sigmoid"}};

// ONNX's Swish is written out where the runtime has no operator for it: three steps, the first also
// where alpha is 1.
Result<void> from_swish(const ForeignNode& f, GraphBuilder& graph) {
  LOCKSTEP_CHECK(known_attributes(f, {"alpha"}));
  if (!has_input(f, 0)) return foreign_error(f, "no input", "x");
  const auto step = [&](const char* op, std::vector<ValueId> inputs, ValueId to) {
    ForeignNode part = f;
    part.outputs = {to};
    return add_like(part, graph, op, std::move(inputs), {});
  };
  const ValueId alpha =
      add_constant(f, graph, "alpha", Tensor::scalar(static_cast<float>(f.attrs.real("alpha", 1))));
  const ValueId scaled = add_inner(f, graph, "scaled"), gate = add_inner(f, graph, "gate");
  LOCKSTEP_CHECK(step("Mul", {f.inputs[0], alpha}, scaled));
  LOCKSTEP_CHECK(step("Sigmoid", {scaled}, gate));
  return step("Mul", {f.inputs[0], gate}, f.outputs[0]);
}

constexpr Foreign from[] = {{Format::onnx, "com.microsoft:QuickGelu"},
                            {Format::onnx, "Swish", from_swish}};

Result<void> eval(EvalContext& c) {
  const double alpha = c.view.attrs().real("alpha", 1.702f);
  if (by_own_steps(c, &RealFunctions::quick_gelu, alpha)) return {};
  return map_reals(c, [&](double x) { return x / (1 + std::exp(-alpha * x)); });
}

}  // namespace

extern constinit const OpDef op_quick_gelu = {
    .name = "QuickGelu",
    .meaning = "y = x * sigmoid(alpha x)",
    .inputs = unary_inputs,
    .outputs = unary_outputs,
    .attrs = attrs,
    .infer = infer_like_first,
    .eval = eval,
    .from = from,
};

}  // namespace lockstep
