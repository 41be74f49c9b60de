// y = x * Phi(x), Phi by erf, or by tanh where approximate is tanh
#include <cmath>
#include <numbers>

#include "op/op_contrib.h"
#include "op/op_functions.h"
#include "op/op_move.h"

namespace lockstep {
namespace {

constexpr AttrSpec attrs[] = {{"approximate", "none", "none or tanh"}};
Result<void> from_tflite(const ForeignNode& f, GraphBuilder& graph) {
  Attrs canonical;
  canonical.set("approximate",
                std::string(f.attrs.integer("approximate", 0) != 0 ? "tanh" : "none"));
  return add_like(f, graph, "Gelu", f.inputs, std::move(canonical));
}

Result<void> from_fast_gelu(const ForeignNode& f, GraphBuilder& graph) {
  return from_biased_gelu(f, graph, "tanh");
}
Result<void> from_bias_gelu(const ForeignNode& f, GraphBuilder& graph) {
  return from_biased_gelu(f, graph, "none");
}

constexpr Foreign from[] = {{Format::tflite, "GELU", from_tflite},
                            {Format::onnx, "Gelu"},
                            {Format::onnx, "com.microsoft:Gelu"},
                            {Format::onnx, "com.microsoft:FastGelu", from_fast_gelu},
                            {Format::onnx, "com.microsoft:BiasGelu", from_bias_gelu}};

Result<void> eval(EvalContext& c) {
  const bool by_tanh = c.view.attrs().text("approximate", "none") == "tanh";
  if (on_codes(c.view)) return map_codes(c, by_tanh ? c.num.gelu_tanh : c.num.gelu);
  if (by_own_steps(c, by_tanh ? &RealFunctions::gelu_tanh : &RealFunctions::gelu)) return {};
  if (!by_tanh)
    return map_reals(c, [](double x) { return x / 2 * (1 + std::erf(x / std::numbers::sqrt2)); });
  const double slope = std::sqrt(2 / std::numbers::pi);
  return map_reals(
      c, [&](double x) { return x / 2 * (1 + std::tanh(slope * (x + 0.044715 * x * x * x))); });
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
