#include "op/op_fused.h"

namespace lockstep {
namespace {

// Parameter `i` of the activation: of a list, or by its own name.
double parameter(const ForeignNode& f, std::size_t i, double fallback) {
  static constexpr const char* names[] = {"activation_alpha", "activation_beta"};
  const auto list = f.attrs.reals("activation_params");
  return i < list.size() ? list[i] : f.attrs.real(names[i], fallback);
}

Result<Attrs> activation_attrs(const ForeignNode& f, const std::string& kind) {
  Attrs a;
  if (kind == "LeakyRelu") a.set("alpha", parameter(f, 0, 0.01f));
  if (kind == "HardSigmoid")
    a.set("alpha", parameter(f, 0, 0.2f)), a.set("beta", parameter(f, 1, 0.5));
  for (const char* const known : {"Relu", "Sigmoid", "Tanh", "LeakyRelu", "HardSigmoid", "Clip"})
    if (kind == known) return a;
  return Error{f.where, "activation '" + kind + "'",
               "Relu, Sigmoid, Tanh, LeakyRelu, HardSigmoid or Clip", ""};
}

}  // namespace

Result<void> from_fused(const ForeignNode& f, GraphBuilder& graph, ForeignMap map) {
  if (f.op.ends_with("FusedConv") && has_input(f, 3))
    return Error{f.where, "a sum fused into the convolution",
                 "the model before onnxruntime optimized it", ""};
  const std::string kind = f.attrs.text("activation", "");
  LOCKSTEP_TRY(Attrs attrs, activation_attrs(f, kind));
  ForeignNode layer = f;
  for (const char* const name : {"activation", "activation_params", "activation_alpha",
                                 "activation_beta", "activation_gamma"})
    layer.attrs.values.erase(name);
  layer.outputs = {add_inner(f, graph, "sum")};
  LOCKSTEP_CHECK(map(layer, graph));
  Node node = node_like(f, graph, kind);
  node.inputs = layer.outputs;
  if (kind == "Clip")
    for (const std::size_t i : {0, 1})
      node.inputs.push_back(add_constant(f, graph, i == 0 ? "min" : "max",
                                         Tensor::scalar(static_cast<float>(parameter(
                                             f, i, i == 0 ? -3.402823466e38 : 3.402823466e38)))));
  node.attrs = std::move(attrs);
  graph.add_node(std::move(node));
  return {};
}

}  // namespace lockstep
