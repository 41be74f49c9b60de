#include "fault/fault_weights.h"

namespace lockstep {
namespace {

std::size_t weight_axis(const NodeView& n) {
  const Shape& w = n.input(kWeights).shape;
  if (n.node.op == "Conv") return n.attrs().text("weights", "OIHW") == "1HWO" ? w.size() - 1 : 0;
  if (n.node.op == "Gemm" && n.attrs().integer("transB", 0) != 0) return 0;
  return w.size() - 1;
}

}  // namespace

std::int64_t weight_channels(const NodeView& n) { return n.input(kWeights).shape[weight_axis(n)]; }

std::int64_t weight_channel(const NodeView& n, std::int64_t i) {
  return index_along(n.input(kWeights).shape, weight_axis(n), i);
}

}  // namespace lockstep
