// Conv -> BatchNormalization, Mul or Add of constants becomes a Conv of other weights and another
// bias, computed in float32 as onnxruntime does while it loads.
#include <cmath>

#include "pass/qdq.h"
#include "pass/uses.h"

namespace lockstep {
namespace {

// None where a caller may replace it: the runtime fuses no default of an input.
const Tensor* stored_reals(const Graph& g, const Node& n, std::size_t i) {
  if (!has_input(n, i)) return nullptr;
  const Value& v = g.value(n.inputs[i]);
  return v.constant && !v.folded && v.dtype == DType::f32 ? v.constant.get() : nullptr;
}

// y = scale * conv + shift, by channel. Without a factor of its own: `scale` is empty.
struct Channels {
  std::vector<float> scale{}, shift{};
  bool normal = false;  // a BatchNormalization: shift is what a bias of zero becomes, mean what is
                        // taken off before
  std::vector<float> mean{};
};

std::optional<Channels> of_normalization(const Graph& g, const Node& n, std::int64_t channels) {
  const Tensor *const scale = stored_reals(g, n, 1), *const bias = stored_reals(g, n, 2),
                      *const mean = stored_reals(g, n, 3), *const variance = stored_reals(g, n, 4);
  for (const Tensor* const t : {scale, bias, mean, variance})
    if (!t || t->shape() != Shape{channels}) return {};
  if (n.outputs.size() != 1 || n.attrs.integer("training_mode", 0) != 0) return {};
  Channels c{.normal = true};
  const auto epsilon = static_cast<float>(n.attrs.real("epsilon", 1e-5f));
  for (std::size_t o = 0; o < static_cast<std::size_t>(channels); ++o) {
    c.scale.push_back(scale->as<float>()[o] / std::sqrt(variance->as<float>()[o] + epsilon));
    c.mean.push_back(mean->as<float>()[o]);
    c.shift.push_back(bias->as<float>()[o]);
  }
  return c;
}

// A constant second operand: a number (for Mul), [channels, 1, ...] or [1, channels, 1, ...].
std::optional<std::vector<float>> by_channel(const Graph& g, const Node& n, const Shape& w,
                                             bool number_too) {
  const Tensor* const t = stored_reals(g, n, 1);
  if (!t || w.size() < 4) return {};
  const auto channels = static_cast<std::size_t>(w[0]);
  if (t->shape().empty())
    return number_too ? std::optional(std::vector<float>(channels, t->as<float>()[0]))
                      : std::nullopt;
  Shape behind_batch(w.size() - 1, 1), whole(w.size(), 1);
  behind_batch[0] = whole[1] = w[0];
  if (t->shape() != behind_batch && t->shape() != whole) return {};
  return std::vector<float>(t->as<float>().begin(), t->as<float>().end());
}

std::optional<Channels> constants_of(const Graph& g, const Node& conv, const Node& next,
                                     const Shape& w) {
  if (next.inputs[0] != conv.outputs[0]) return {};
  if (next.op == "BatchNormalization" && w.size() > 2) return of_normalization(g, next, w[0]);
  if (next.op != "Mul" && next.op != "Add") return {};
  auto numbers = by_channel(g, next, w, next.op == "Mul");
  if (!numbers) return {};
  return next.op == "Mul" ? Channels{.scale = std::move(*numbers)}
                          : Channels{.shift = std::move(*numbers)};
}

// The new bias; none where there was none and nothing is added.
std::optional<Tensor> bias_of(const Channels& c, const Tensor* bias, std::int64_t channels) {
  if (!bias && c.shift.empty()) return {};
  Tensor y(DType::f32, {channels});
  for (std::size_t o = 0; o < static_cast<std::size_t>(channels); ++o) {
    float b = bias ? bias->as<float>()[o] : 0.0f;
    if (c.normal)
      b = bias ? (b - c.mean[o]) * c.scale[o] + c.shift[o] : c.shift[o] - c.mean[o] * c.scale[o];
    else if (!c.scale.empty())
      b = b * c.scale[o];
    else
      b = bias ? b + c.shift[o] : c.shift[o];
    y.as<float>()[o] = b;
  }
  return y;
}

Tensor weights_of(const Channels& c, const Tensor& w) {
  Tensor y = w;
  if (c.scale.empty()) return y;
  const std::size_t each = static_cast<std::size_t>(w.count()) / c.scale.size();
  for (std::size_t i = 0; i < static_cast<std::size_t>(w.count()); ++i)
    y.as<float>()[i] = w.as<float>()[i] * c.scale[i / each];
  return y;
}

ValueId add_constant(Patch& patch, std::string name, Tensor tensor) {
  Value v;
  v.name = std::move(name);
  v.dtype = tensor.dtype();
  v.shape = tensor.shape();
  v.constant = std::make_shared<const Tensor>(std::move(tensor));
  return patch.add_value(std::move(v));
}

}  // namespace

Result<Patch> fuse_conv_constants(const Graph& g) {
  Patch patch(g, "fuse-conv-constants");
  const Uses uses(g);
  for (const Node& conv : g.nodes()) {
    if (conv.op != "Conv" || conv.attrs.text("layout", "NCHW") != "NCHW" ||
        conv.attrs.text("activation", "none") != "none")
      continue;
    const Tensor *const w = stored_reals(g, conv, 1), *const bias = stored_reals(g, conv, 2);
    const Node* const next = uses.only_reader(conv.outputs[0]);
    if (!w || w->count() == 0 || !next || uses.is_output(next->outputs[0])) continue;
    const std::int64_t channels = w->shape()[0];
    if (has_input(conv, 2) && (!bias || bias->shape() != Shape{channels})) continue;
    const auto constants = constants_of(g, conv, *next, w->shape());
    if (!constants) continue;
    Node fused = conv;
    fused.inputs.resize(2);
    fused.inputs[1] = add_constant(patch, next->name + "/weights", weights_of(*constants, *w));
    if (auto b = bias_of(*constants, bias, channels))
      fused.inputs.push_back(add_constant(patch, next->name + "/bias", std::move(*b)));
    fused.outputs = next->outputs;
    patch.remove_node(uses.id_of(*next));
    patch.replace_node(uses.id_of(conv), std::move(fused));
    return patch;  // what reads the result may be another one
  }
  return patch;
}

}  // namespace lockstep
