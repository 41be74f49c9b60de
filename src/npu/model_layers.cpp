#include "npu/model_layers.h"

#include <algorithm>
#include <cstdlib>

#include "op/op_window.h"

namespace lockstep {
namespace {

const Node* producer(const Graph& g, ValueId id) {
  const NodeId n = g.value(id).producer;
  return n == no_id ? nullptr : &g.node(n);
}

// The coded tensor behind a value: itself, or what a DequantizeLinear (and shape changes) made it
// of.
const Value* coded(const Graph& g, ValueId id) {
  for (int hops = 0; hops < 8; ++hops) {
    const Value& v = g.value(id);
    if (is_integer(v.dtype)) return &v;
    const Node* n = producer(g, id);
    if (!n || n->inputs.empty() || n->inputs[0] == no_id) return nullptr;
    if (n->op != "DequantizeLinear" && n->op != "Reshape" && n->op != "Identity" &&
        n->op != "Transpose" && n->op != "Squeeze" && n->op != "Unsqueeze" && n->op != "Flatten")
      return nullptr;
    id = n->inputs[0];
  }
  return nullptr;
}

// The coded tensor that a value ends in: itself, or what follows through activations and shape
// changes.
const Value* coded_after(const Graph& g, ValueId id) {
  for (int hops = 0; hops < 8; ++hops) {
    const Value& v = g.value(id);
    if (is_integer(v.dtype)) return &v;
    const auto next = g.consumers(id);
    if (next.size() != 1) return nullptr;
    const Node& n = g.node(next[0]);
    if (n.op != "QuantizeLinear" && n.op != "Relu" && n.op != "Clip" && n.op != "Reshape" &&
        n.op != "Identity" && n.op != "Squeeze" && n.op != "Unsqueeze" && n.op != "Flatten")
      return nullptr;
    id = n.outputs[0];
  }
  return nullptr;
}

struct KernelAxis {
  std::int64_t channels, inner, outer;  // element i belongs to channel i / inner % channels
};

KernelAxis axis_of(const Node& n, const Value& w) {
  const auto& s = w.shape;
  std::size_t axis = 0;
  if (n.op == "Conv" && n.attrs.text("weights", "OIHW") == "1HWO") axis = s.size() - 1;
  if (n.op != "Conv" && s.size() == 2) axis = n.attrs.integer("transB", 0) != 0 ? 0 : 1;
  std::int64_t inner = 1, outer = 1;
  for (std::size_t i = 0; i < s.size(); ++i)
    if (i < axis)
      outer *= s[i];
    else if (i > axis)
      inner *= s[i];
  return {s.empty() ? 1 : s[axis], inner, outer};
}

// The accelerator holds uint8 codes as int8, 128 less.
std::int64_t held_zero(const Value& v) {
  return v.quant.zero_at(0) - (v.dtype == DType::u8 ? 128 : 0);
}

bool read_weights(const Node& n, const Value& w, ModelLayer& layer) {
  if (!w.constant || w.shape.size() < 2) return false;
  const KernelAxis axis = axis_of(n, w);
  const auto channels = static_cast<std::size_t>(axis.channels);
  layer.out_channels = axis.channels;
  layer.kernel_sum.assign(channels, 0);
  layer.kernel_squares = layer.kernel_size = layer.kernel_worst = layer.kernel_sum;
  std::vector<std::int64_t> positive(channels, 0), negative(channels, 0);
  for (std::int64_t i = 0; i < w.constant->count(); ++i) {
    const auto k = static_cast<std::size_t>(i / axis.inner % axis.channels);
    const std::int64_t code = w.constant->code(i) - w.quant.zero_at(k);
    layer.kernel_sum[k] += code;
    layer.kernel_squares[k] += code * code;
    layer.kernel_size[k] += 1;
    (code > 0 ? positive : negative)[k] += code;
  }
  for (std::size_t k = 0; k < channels; ++k)
    layer.kernel_worst[k] = std::max(positive[k], -negative[k]);
  layer.w_scale = w.quant.scale;
  return layer.w_scale.size() == 1 || layer.w_scale.size() == channels;
}

void read_bias(const Graph& g, const Node& n, ModelLayer& layer) {
  if (n.inputs.size() < 3 || n.inputs[2] == no_id) return;
  const Value& direct = g.value(n.inputs[2]);
  const Value* b = is_integer(direct.dtype) ? &direct : coded(g, n.inputs[2]);
  if (b && b->constant)
    for (std::int64_t i = 0; i < b->constant->count(); ++i)
      layer.bias.push_back(static_cast<double>(b->constant->code(i)));
  else if (direct.constant)
    for (std::int64_t i = 0; i < direct.constant->count(); ++i) {
      const auto k = static_cast<std::size_t>(i);
      layer.bias.push_back(direct.constant->number(i) /
                           (layer.x_scale * layer.w_scale[layer.w_scale.size() == 1 ? 0 : k]));
    }
}

// Zeros that a Pad before the layer adds to an axis: at its begin, at its end; none without a Pad.
std::pair<std::int64_t, std::int64_t> padded_before(const Graph& g, ValueId x, std::size_t axis) {
  for (int hops = 0; hops < 4; ++hops) {
    const Node* n = producer(g, x);
    if (!n) return {0, 0};
    if (n->op == "DequantizeLinear" || n->op == "QuantizeLinear") {
      x = n->inputs[0];
      continue;
    }
    const Tensor* pads = n->op == "Pad" && n->inputs.size() > 1 && n->inputs[1] != no_id
                             ? g.value(n->inputs[1]).constant.get()
                             : nullptr;
    const auto rank = static_cast<std::int64_t>(g.value(x).shape.size());
    if (!pads || pads->count() != 2 * rank) return {0, 0};
    const auto a = static_cast<std::int64_t>(axis);
    const bool pairs = n->attrs.integer("pairs", 0) != 0;
    return {pads->code(pairs ? 2 * a : a), pads->code(pairs ? 2 * a + 1 : rank + a)};
  }
  return {0, 0};
}

void read_window(const Graph& g, const Node& n, const Value& w, ModelLayer& layer) {
  const Shape& x = g.value(n.inputs[0]).shape;
  if (n.op != "Conv" || x.size() != 4 || w.shape.size() != 4) return;
  const std::size_t first = n.attrs.text("weights", "OIHW") == "OIHW" ? 2 : 1;
  const auto window = window_of({g, n}, x, {w.shape[first], w.shape[first + 1]});
  if (!window.ok() || window->dilations[1] != 1 || window->dilations[2] != 1) return;
  ModelSide* sides[] = {&layer.rows, &layer.columns};
  for (std::size_t d = 0; d < 2; ++d) {
    const std::size_t at = 1 + d;  // the last two of the window's three directions
    const auto [before, after] = padded_before(g, n.inputs[0], window->channels_last ? at : at + 1);
    *sides[d] = {window->in[at] - before - after, window->kernel[at], window->strides[at],
                 window->begin[at] + before, window->out[at]};
  }
}

}  // namespace

std::vector<ModelLayer> model_layers(const Graph& g) {
  std::vector<ModelLayer> layers;
  for (const Node& n : g.nodes()) {
    if (n.op != "Conv" && n.op != "Gemm" && n.op != "MatMul") continue;
    const Value* x = coded(g, n.inputs[0]);
    const Value* w = coded(g, n.inputs[1]);
    const Value* y = coded_after(g, n.outputs[0]);
    ModelLayer layer;
    if (!x || !w || !y || x->quant.scale.size() != 1 || y->quant.scale.size() != 1 ||
        !read_weights(n, *w, layer))
      continue;
    layer.node = n.name;
    layer.op = n.op;
    layer.input = x->name;
    layer.output = y->name;
    layer.x_scale = x->quant.scale[0];
    layer.x_zero = held_zero(*x);
    layer.y_scale = y->quant.scale[0];
    layer.y_zero = held_zero(*y);
    layer.depthwise = n.op == "Conv" && n.attrs.integer("group", 1) > 1;
    read_bias(g, n, layer);
    read_window(g, n, *w, layer);
    if (!layer.bias.empty() && layer.bias.size() != static_cast<std::size_t>(layer.out_channels))
      continue;
    layers.push_back(std::move(layer));
  }
  return layers;
}

}  // namespace lockstep
