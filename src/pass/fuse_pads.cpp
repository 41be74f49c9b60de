// Pad -> window becomes the window's own padding, as onnxruntime does: by zeros before a Conv, a MaxPool (which then
// never sees them) and an AveragePool that counts padding.
#include <algorithm>

#include "op/op_pad.h"
#include "op/op_pool.h"
#include "pass/qdq.h"
#include "pass/uses.h"

namespace lockstep {
namespace {

bool all_bytes_zero(const Tensor& t) {
  return std::ranges::all_of(t.bytes(), [](std::byte b) { return b == std::byte{0}; });
}

bool takes_padding(const Node& n) {
  const std::string rule = n.attrs.text("auto_pad", "NOTSET");
  if ((!rule.empty() && rule != "NOTSET") || n.outputs.size() != 1 || n.attrs.text("layout", "NCHW") != "NCHW") return false;
  if (n.op == "AveragePool") return n.attrs.integer("count_include_pad", 0) != 0;
  return (n.op == "Conv" && n.attrs.integer("by_rule", 0) == 0) || n.op == "MaxPool";
}

// What the Pad adds to the spatial axes, all befores first; nothing where it does anything else.
std::optional<std::vector<std::int64_t>> zeros_around(const Graph& g, const Node& pad) {
  if (pad.op != "Pad" || pad.attrs.text("mode", "constant") != "constant" || pad.inputs.size() > 3 || pad.attrs.real("value", 0) != 0)
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

// A pool may start a last window in a Pad's zeros (ceil_mode), but not in zeros of its own. The runtime then makes less than the
// file says; that is not followed.
bool changes_shape(const Graph& g, const Node& n) {
  if (n.op == "Conv") return false;
  const auto facts = pool_facts({g, n});
  return !facts.ok() || (*facts)[0].shape != g.value(n.outputs[0]).shape;
}

}  // namespace

Result<Patch> fuse_pads(const Graph& g) {
  Patch patch(g, "fuse-pads");
  const Uses uses(g);
  for (const Node& pad : g.nodes()) {
    if (pad.op != "Pad") continue;
    const Node* const window = uses.only_reader(pad.outputs[0]);
    if (!window || window->inputs[0] != pad.outputs[0] || !takes_padding(*window)) continue;
    // Conv and AveragePool of codes are other operators there, which no Pad goes into.
    if (window->op != "MaxPool" && g.value(pad.inputs[0]).dtype != DType::f32) continue;
    const auto zeros = zeros_around(g, pad);
    if (!zeros) continue;
    Node next = *window;
    std::vector<std::int64_t> pads = next.attrs.integers("pads", std::vector<std::int64_t>(zeros->size()));
    if (pads.size() != zeros->size()) continue;
    std::ranges::transform(pads, *zeros, pads.begin(), std::plus<>());
    next.attrs.set("pads", std::move(pads));
    next.inputs[0] = pad.inputs[0];
    if (changes_shape(g, next)) continue;
    patch.remove_node(uses.id_of(pad));
    patch.replace_node(uses.id_of(*window), std::move(next));
    return patch;  // the next Pad may stand before this one
  }
  return patch;
}

}  // namespace lockstep
