#include "npu/mixed_rows.h"

#include <cmath>
#include <numeric>

#include "op/op_conv.h"
#include "op/op_window.h"

namespace lockstep {
namespace {

// The codes that an operand is: itself, or what a dequantizer makes it of.
const Value& coded(const Graph& g, ValueId id) {
  const Value& v = g.value(id);
  if (is_integer(v.dtype) || v.producer == no_id) return v;
  const Node& maker = g.node(v.producer);
  return maker.op == "DequantizeLinear" ? g.value(maker.inputs[0]) : v;
}

// The weights less their zero points, as [o][tap][c].
std::vector<std::int64_t> packed_codes(const Value& w, const ConvLayout& layout, const Window& g) {
  std::vector<std::int64_t> codes(static_cast<std::size_t>(w.constant->count()));
  for (std::size_t i = 0; i < codes.size(); ++i)
    codes[i] = w.constant->code(static_cast<std::int64_t>(i)) - w.quant.zero_at(0);
  return packed_weights<std::int64_t>(codes, layout, g);
}

}  // namespace

std::vector<std::vector<std::int64_t>> changes_by_row(const Graph& model, const std::string& node,
                                                      const std::string& input, const Tensor& codes,
                                                      const Tensor& other) {
  const NodeId id = model.find_node(node);
  if (id == no_id || model.node(id).op != "Conv" || codes.shape() != other.shape()) return {};
  const NodeView view{model, model.node(id)};
  const Value &x = coded(model, view.node.inputs[0]), &w = coded(model, view.node.inputs[1]);
  const auto layout = conv_layout(view);
  if (x.name != input || !w.constant || !layout.ok()) return {};
  const auto window = window_of(view, x.shape, layout->kernel);
  if (!window.ok() || window->batch != 1 || window->kernel[0] != 1 ||
      codes.count() != window->in_count() * window->channels)
    return {};
  const Window& g = *window;
  std::vector<std::int64_t> off(static_cast<std::size_t>(codes.count()));
  for (std::size_t i = 0; i < off.size(); ++i)
    off[i] = other.code(static_cast<std::int64_t>(i)) - codes.code(static_cast<std::int64_t>(i));
  off = packed_input<std::int64_t>(off, g);
  const std::vector<std::int64_t> weights = packed_codes(w, *layout, g);
  const std::int64_t taps = g.kernel_count(), channels = layout->in_per_group,
                     per_group = layout->out_channels / layout->group;
  std::vector<std::vector<std::int64_t>> rows(static_cast<std::size_t>(g.kernel[1]));
  for (auto& row : rows)
    row.assign(static_cast<std::size_t>(layout->out_channels * g.out_count()), 0);
  each_position(g, [&](std::int64_t d, std::int64_t h, std::int64_t v, std::int64_t position) {
    each_tap(g, d, h, v, [&](std::int64_t at, std::int64_t tap) {
      auto& row = rows[static_cast<std::size_t>(tap / g.kernel[2])];
      for (std::int64_t c = 0; c < g.channels; ++c) {
        const std::int64_t by = off[static_cast<std::size_t>(at * g.channels + c)];
        if (by == 0) continue;
        const std::int64_t first = c / channels * per_group;
        for (std::int64_t o = first; o < first + per_group; ++o)
          row[static_cast<std::size_t>(o * g.out_count() + position)] +=
              by * weights[static_cast<std::size_t>((o * taps + tap) * channels + c % channels)];
      }
    });
  });
  return rows;
}

bool is_of_mixed_rows(std::int64_t result, std::int64_t reference,
                      const std::vector<std::int64_t>& changes, bool split, double multiplier,
                      double slack) {
  const std::int64_t all = std::accumulate(changes.begin(), changes.end(), std::int64_t{0});
  const auto near = [&](std::int64_t change) {
    const double off =
        static_cast<double>(result - reference) - multiplier * static_cast<double>(change);
    return (off <= slack || reference == 127) && (off >= -slack || reference == -128);
  };
  if (near(all)) return true;
  std::int64_t first = 0;
  for (const std::int64_t c : changes)
    if (first += c; split && (near(first) || near(all - first))) return true;
  return false;
}

}  // namespace lockstep
