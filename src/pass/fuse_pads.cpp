// Pad -> window becomes the window's own padding, as onnxruntime does: by zeros before a Conv, a
// MaxPool (which then never sees them) and an AveragePool, which then counts padding.
#include <algorithm>
#include <set>

#include "op/op_pad.h"
#include "pass/qdq.h"
#include "pass/uses.h"

namespace lockstep {
namespace {

bool all_bytes_zero(const Tensor& t) {
  return std::ranges::all_of(t.bytes(), [](std::byte b) { return b == std::byte{0}; });
}

bool takes_padding(const Node& n) {
  const std::string rule = n.attrs.text("auto_pad", "NOTSET");
  if ((!rule.empty() && rule != "NOTSET") || n.outputs.size() != 1 ||
      n.attrs.text("layout", "NCHW") != "NCHW")
    return false;
  if (n.op == "AveragePool")
    return n.attrs.integer("count_include_pad", 0) != 0 ||
           std::ranges::all_of(n.attrs.integers("pads"), [](std::int64_t p) { return p == 0; });
  return (n.op == "Conv" && n.attrs.integer("by_rule", 0) == 0) || n.op == "MaxPool";
}

// What the Pad adds to the spatial axes, all befores first; nothing where it does anything else.
std::optional<std::vector<std::int64_t>> zeros_around(const Graph& g, const Node& pad) {
  if (pad.op != "Pad" || pad.attrs.text("mode", "constant") != "constant" ||
      pad.inputs.size() > 3 || pad.attrs.real("value", 0) != 0)
    return {};
  if (has_input(pad, 2)) {
    const auto& value = g.value(pad.inputs[2]).constant;
    if (!value || !all_bytes_zero(*value)) return {};
  }
  const auto ends = pad_ends({g, pad});
  if (!ends.ok() || ends->size() < 3) return {};
  std::vector<std::int64_t> begins, pads;
  for (std::size_t d = 0; d < ends->size(); ++d) {
    const auto [begin, end] = (*ends)[d];
    if (begin < 0 || end < 0 || (d < 2 && begin + end != 0)) return {};
    if (d >= 2) begins.push_back(begin), pads.push_back(end);
  }
  begins.insert(begins.end(), pads.begin(), pads.end());
  return begins;
}

// The window with the Pad's zeros as its own; nothing where the runtime takes no such window.
std::optional<Node> padded_window(const Node& window, const Node& pad,
                                  const std::vector<std::int64_t>& zeros) {
  Node next = window;
  std::vector<std::int64_t> pads =
      next.attrs.integers("pads", std::vector<std::int64_t>(zeros.size()));
  if (pads.size() != zeros.size()) return {};
  std::ranges::transform(pads, zeros, pads.begin(), std::plus<>());
  const auto kernel = next.attrs.integers("kernel_shape");
  for (std::size_t i = 0; i < pads.size() && next.op != "Conv"; ++i)
    if (kernel.size() * 2 != pads.size() || pads[i] >= kernel[i % kernel.size()]) return {};
  next.attrs.set("pads", std::move(pads));
  if (next.op == "AveragePool") next.attrs.set("count_include_pad", std::int64_t{1});
  next.inputs[0] = pad.inputs[0];
  return next;
}

// Shapes by value name behind a node of `g` whose output is no longer what its rule says; nothing
// where a reader's rule does not take them.
std::optional<std::vector<std::pair<std::string, Shape>>> shapes_behind(Graph g,
                                                                        std::string_view first) {
  std::vector<std::pair<std::string, Shape>> changed;
  std::set<ValueId> read;
  for (std::size_t i = static_cast<std::size_t>(g.find_node(first)); i < g.nodes().size(); ++i) {
    const Node& n = g.nodes()[i];
    if (n.name != first &&
        std::ranges::none_of(n.inputs, [&](ValueId v) { return read.contains(v); }))
      continue;
    const OpDef* const op = find_op(n.op);
    const auto facts = op->infer({g, n});
    if (!facts.ok() || op->of_shapes) return {};  // what was computed from the old shape is stored
    Patch patch(g, "fuse-pads");
    for (std::size_t k = 0; k < n.outputs.size() && k < facts->size(); ++k) {
      const ValueId v = n.outputs[k];
      if (v == no_id || g.value(v).shape == (*facts)[k].shape) continue;
      Value value = g.value(v);
      value.shape = (*facts)[k].shape;
      changed.emplace_back(value.name, value.shape);
      read.insert(v);
      patch.set_value(v, std::move(value));
    }
    if (patch.empty()) continue;
    auto next = patch.apply();
    if (!next.ok()) return {};
    g = std::move(next).value();
  }
  return changed;
}

// The Pad gone, the window wider and the shapes behind it as they then are.
std::optional<Patch> fused(const Graph& g, const Uses& uses, const Node& pad, const Node& window,
                           Node next) {
  Patch patch(g, "fuse-pads");
  patch.remove_node(uses.id_of(pad));
  patch.replace_node(uses.id_of(window), std::move(next));
  auto trial = patch.apply();
  if (!trial.ok()) return {};
  const auto shapes = shapes_behind(std::move(trial).value(), window.name);
  if (!shapes) return {};
  for (const auto& [name, shape] : *shapes) {
    const ValueId v = g.find_value(name);
    Value value = g.value(v);
    value.shape = shape;
    patch.set_value(v, std::move(value));
  }
  return patch;
}

}  // namespace

Result<Patch> fuse_pads(const Graph& g) {
  const Uses uses(g);
  for (const Node& pad : g.nodes()) {
    if (pad.op != "Pad") continue;
    const Node* const window = uses.only_reader(pad.outputs[0]);
    if (!window || window->inputs[0] != pad.outputs[0] || !takes_padding(*window)) continue;
    // Conv and AveragePool of codes are other operators there, which no Pad goes into.
    if (window->op != "MaxPool" && g.value(pad.inputs[0]).dtype != DType::f32) continue;
    const auto zeros = zeros_around(g, pad);
    if (!zeros) continue;
    auto next = padded_window(*window, pad, *zeros);
    auto patch = next ? fused(g, uses, pad, *window, std::move(*next)) : std::nullopt;
    if (patch) return std::move(*patch);  // the next Pad may stand before this one
  }
  return Patch(g, "fuse-pads");
}

}  // namespace lockstep
