// y = x * Phi(x), Phi by erf, or by tanh where approximate is tanh
#include <cmath>
#include <numbers>

#include "op/op_elementwise.h"

namespace lockstep {
namespace {

constexpr AttrSpec attrs[] = {{"approximate", "none", "none or tanh"}};
constexpr Foreign from[] = {{Format::onnx, "Gelu"}, {Format::onnx, "com.microsoft:Gelu"}};

Result<void> eval(EvalContext& c) {
  if (c.view.attrs().text("approximate", "none") != "tanh")
    return map_reals(c, [](double x) { return x / 2 * (1 + std::erf(x / std::numbers::sqrt2)); });
  const double slope = std::sqrt(2 / std::numbers::pi);
  return map_reals(c, [&](double x) { return x / 2 * (1 + std::tanh(slope * (x + 0.044715 * x * x * x))); });
}

}  // namespace

extern constinit const OpDef op_gelu = {
    .name = "Gelu",
    .meaning = "y = x * Phi(x), Phi by erf, or by tanh where approximate is tanh",
    .inputs = unary_inputs,
    .outputs = unary_outputs,
    .attrs = attrs,
    .infer = infer_like_first,
    .eval = eval,
    .from = from,
};

}  // namespace lockstep
