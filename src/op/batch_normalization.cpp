// y[n,c,p] = scale[c] * (x[n,c,p] - mean[c]) / sqrt(variance[c] + epsilon) + bias[c].
#include <cmath>

#include "op/op_foreign.h"

namespace lockstep {
namespace {

constexpr Slot inputs[] = {{"x"}, {"scale"}, {"bias"}, {"mean"}, {"variance"}};
constexpr Slot outputs[] = {{"y"}};
constexpr AttrSpec attrs[] = {{"epsilon", "1e-5", "keeps the root from zero"}};
constexpr Rule rules[] = {
    {"x has a channel axis, and scale, bias, mean and variance hold one float32 per channel",
     [](const NodeView& n) {
       const Shape& x = n.input(0).shape;
       for (std::size_t i = 0; i < 5; ++i)
         if (n.input(i).dtype != DType::f32 ||
             (i > 0 && (x.size() < 2 || count_of(n.input(i).shape) != x[1])))
           return false;
       return true;
     }},
};

Result<void> from_onnx(const ForeignNode& f, GraphBuilder& graph) {
  LOCKSTEP_CHECK(known_attributes(f, {"epsilon", "momentum", "spatial", "training_mode"}));
  if (f.attrs.integer("training_mode", 0) != 0 || f.outputs.size() > 1)
    return Error{f.where, "statistics of the batch", "those of the model",
                 "export the model for inference"};
  if (f.attrs.integer("spatial", 1) != 1)
    return Error{f.where, "attribute 'spatial' 0", "1: statistics per channel", ""};
  Attrs a;
  a.set("epsilon", f.attrs.real("epsilon", 1e-5f));
  return add_like(f, graph, "BatchNormalization", f.inputs, std::move(a));
}

constexpr Foreign from[] = {{Format::onnx, "BatchNormalization", from_onnx}};

Result<std::vector<Facts>> infer(const NodeView& n) {
  return std::vector<Facts>{{DType::f32, n.input(0).shape, {}}};
}

// One factor and one term per channel, as runtimes do: y = x * factor + term.
Result<void> eval(EvalContext& c) {
  const Shape& shape = c.in[0]->shape();
  const auto epsilon = static_cast<float>(c.view.attrs().real("epsilon", 1e-5f));
  const auto x = c.in[0]->as<float>(), scale = c.in[1]->as<float>(), bias = c.in[2]->as<float>();
  const auto mean = c.in[3]->as<float>(), variance = c.in[4]->as<float>();
  const auto y = c.out[0].as<float>();
  const auto channels = static_cast<std::size_t>(shape[1]);
  if (x.empty()) return {};
  const std::size_t positions = x.size() / static_cast<std::size_t>(shape[0]) / channels;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const std::size_t ch = i / positions % channels;
    const float factor = scale[ch] * (1 / std::sqrt(variance[ch] + epsilon));
    y[i] = x[i] * factor + (bias[ch] - mean[ch] * factor);
  }
  return {};
}

}  // namespace

extern constinit const OpDef op_batch_normalization = {
    .name = "BatchNormalization",
    .meaning = "y = scale * (x - mean) / sqrt(variance + epsilon) + bias, by channel",
    .inputs = inputs,
    .outputs = outputs,
    .attrs = attrs,
    .rules = rules,
    .infer = infer,
    .eval = eval,
    .from = from,
};

}  // namespace lockstep
