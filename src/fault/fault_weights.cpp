#include "fault/fault_weights.h"

namespace lockstep {

int weight_axis(const NodeView& n) {
  const Shape& w = n.input(kWeights).shape;
  const int last = static_cast<int>(w.size()) - 1;
  if (n.node.op == "Conv") return n.attrs().text("weights", "OIHW") == "1HWO" ? last : 0;
  if (n.node.op == "ConvTranspose") return n.attrs().text("weights", "IOHW") == "IOHW" ? 1 : 0;
  if (n.node.op == "Gemm" && n.attrs().integer("transB", 0) != 0) return 0;
  return last;
}

std::int64_t weight_channels(const NodeView& n) {
  return n.input(kWeights).shape[static_cast<std::size_t>(weight_axis(n))];
}

std::int64_t weight_channel(const NodeView& n, std::int64_t i) {
  return index_along(n.input(kWeights).shape, static_cast<std::size_t>(weight_axis(n)), i);
}

}  // namespace lockstep
