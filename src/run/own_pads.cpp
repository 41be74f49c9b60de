#include "run/own_pads.h"

#include "op/op_codes.h"
#include "op/op_pad.h"
#include "op/op_window.h"

namespace lockstep {
namespace {

bool byte_code(const Value& v) {
  return is_code(v) && size_of(v.dtype) == 1 && !v.quant.per_channel();
}

// Writes a constant, and that is the zero point of what it yields.
bool pads_with_zero(const NodeView& pad, std::span<const Tensor* const> constants) {
  const Value &x = pad.input(0), &y = pad.output(0);
  if (pad.attrs().text("mode", "constant") != "constant") return false;
  if (!byte_code(x) || x.dtype != y.dtype || x.quant != y.quant) return false;
  const Tensor* const value =
      pad.has_input(2) ? constants[static_cast<std::size_t>(pad.node.inputs[2])] : nullptr;
  if (pad.has_input(2) && !value) return false;
  const Tensor element = pad_element(pad, value);
  return element.count() == 1 && element.dtype() == x.dtype &&
         element.code(0) == x.quant.zero_at(0);
}

// The ends of a convolution's positions, begins and then ends; empty where the Pad cuts, or adds to
// another axis.
std::vector<std::int64_t> ends_of_positions(const NodeView& pad, bool channels_last) {
  const auto ends = pad_ends(pad);
  if (!ends.ok() || ends->size() < 3) return {};
  const std::size_t rank = ends->size() - 2, first = channels_last ? 1 : 2;
  std::vector<std::int64_t> found(2 * rank);
  for (std::size_t a = 0; a < ends->size(); ++a) {
    const PadEnds& e = (*ends)[a];
    if (e.begin < 0 || e.end < 0) return {};
    if (a >= first && a < first + rank) {
      found[a - first] = e.begin;
      found[rank + a - first] = e.end;
    } else if (e.begin != 0 || e.end != 0) {
      return {};
    }
  }
  return found;
}

// Extents of the kernel, from the shape of the weights and their order.
std::vector<std::int64_t> kernel_of(const NodeView& conv) {
  const Shape& w = conv.input(1).shape;
  const bool first = conv.attrs().text("weights", "OIHW") == "OIHW";
  return {w.begin() + (first ? 2 : 1), w.end() - (first ? 0 : 1)};
}

}  // namespace

std::optional<Node> with_own_pads(const Graph& g, const Numerics& num, NodeId id,
                                  std::span<const Tensor* const> constants) {
  if (num.pairs_saturate || num.product) return {};  // where a sum is cut depends on the window
  const NodeView conv{g, g.node(id)};
  if (conv.node.op != "Conv" || !conv.has_input(0) || !conv.has_input(1)) return {};
  const ValueId padded = conv.node.inputs[0];
  const NodeId producer = g.value(padded).producer;
  if (producer == no_id || g.node(producer).op != "Pad") return {};
  const NodeView pad{g, g.node(producer)};
  if (conv.input(0).shape.size() < 3 || conv.input(1).shape.size() != conv.input(0).shape.size() ||
      !pads_with_zero(pad, constants))
    return {};
  const std::vector<std::int64_t> kernel = kernel_of(conv);
  const auto before = window_of(conv, conv.input(0).shape, kernel);
  if (!before.ok()) return {};
  std::vector<std::int64_t> pads = ends_of_positions(pad, before->channels_last);
  const std::size_t rank = before->spatial_rank;
  if (pads.size() != 2 * rank) return {};
  for (std::size_t a = 0; a < rank; ++a) {
    pads[a] += before->begin[3 - rank + a];
    pads[rank + a] += before->end[3 - rank + a];
  }
  Node merged = conv.node;
  merged.inputs[0] = pad.node.inputs[0];
  merged.attrs.set("pads", std::move(pads));
  merged.attrs.values.erase("auto_pad");
  const auto after = window_of({g, merged}, pad.input(0).shape, kernel);
  if (!after.ok() || after->out != before->out) return {};
  return merged;
}

}  // namespace lockstep
