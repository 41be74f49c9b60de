#include "npu/silent.h"

#include "op/op_conv.h"
#include "op/op_window.h"

namespace lockstep {
namespace {

// The codes that a layer reads: its input, or what a dequantizer makes it of.
ValueId coded_input(const Graph& g, const Node& n) {
  const Value& x = g.value(n.inputs[0]);
  if (is_integer(x.dtype) || x.producer == no_id) return n.inputs[0];
  const Node& maker = g.node(x.producer);
  return maker.op == "DequantizeLinear" ? maker.inputs[0] : n.inputs[0];
}

}  // namespace

std::vector<bool> silent_sums(const Graph& model, const std::string& node, const Sample& tensors) {
  const NodeId id = model.find_node(node);
  if (id == no_id || model.node(id).op != "Conv") return {};
  const NodeView view{model, model.node(id)};
  const Value& x = model.value(coded_input(model, view.node));
  const auto it = tensors.find(x.name);
  const auto layout = conv_layout(view);
  if (it == tensors.end() || !is_integer(it->second.dtype()) || !layout.ok()) return {};
  const auto window = window_of(view, x.shape, layout->kernel);
  if (!window.ok() || window->batch != 1 ||
      it->second.count() != window->in_count() * window->channels)
    return {};
  const Window& w = *window;
  const std::int64_t per_group = layout->out_channels / layout->group, pixels = w.out_count();
  std::vector<bool> lit(static_cast<std::size_t>(layout->group * w.in_count()), false);
  for (std::int64_t at = 0; at < w.in_count(); ++at)
    for (std::int64_t c = 0; c < w.channels; ++c)
      if (it->second.code(w.index(0, c, at, w.in_count(), w.channels)) != x.quant.zero_at(0))
        lit[static_cast<std::size_t>(c / layout->in_per_group * w.in_count() + at)] = true;
  std::vector<bool> silent(static_cast<std::size_t>(layout->out_channels * pixels), true);
  for (std::int64_t group = 0; group < layout->group; ++group)
    each_position(w, [&](std::int64_t d, std::int64_t h, std::int64_t v, std::int64_t position) {
      bool any = false;
      each_tap(w, d, h, v, [&](std::int64_t at, std::int64_t) {
        any = any || lit[static_cast<std::size_t>(group * w.in_count() + at)];
      });
      for (std::int64_t o = group * per_group; any && o < (group + 1) * per_group; ++o)
        silent[static_cast<std::size_t>(o * pixels + position)] = false;
    });
  return silent;
}

}  // namespace lockstep
