// code' = round(p / s) + z modulo 2^8: probability 1 becomes the least code.
#include <algorithm>
#include <cmath>

#include "fault/fault_nodes.h"

namespace lockstep {
namespace {

bool applies(const Site& site) {
  return site.node != no_id && site.view().node.op == "Softmax" &&
         is_coded(site.view().output(0)) && is_coded(site.view().input(0));
}

// The unclamped code of element i of a row that is `row` long.
std::int64_t whole_code(const NodeView& n, const Tensor& x, std::int64_t i, std::int64_t row) {
  const QuantParams &xq = n.input(0).quant, &yq = n.output(0).quant;
  const std::int64_t first = i / row * row;
  double sum = 0;
  for (std::int64_t k = first; k < first + row; ++k)
    sum += std::exp(xq.scale_at(0) * static_cast<double>(x.code(k) - x.code(i)));
  return std::llround(1 / sum / yq.scale_at(0)) + yq.zero_at(0);
}

Result<void> replay(Replay& r) {
  const NodeView n = r.site.view();
  const std::int64_t row = n.input(0).shape.empty() ? 1 : n.input(0).shape.back();
  const CodeRange range = code_range(n.output(0).dtype);
  Tensor& y = r.out[0];
  for (std::int64_t i = 0; i < y.count(); ++i)
    if (y.code(i) == range.high && whole_code(n, *r.in[0], i, row) > range.high)
      y.set_code(i, range.low);
  return {};
}

std::vector<Params> candidates(const Site& site, const Evidence& evidence) {
  return best_sets(site, evidence, {Params{}}, replay);
}

}  // namespace

extern constinit const FaultDef fault_softmax_wraps = {
    .name = "softmax-wraps",
    .claim = "probability 1 wraps to the least code",
    .advice = "take the decision from the logits and drop the softmax from the int8 graph",
    .stage = Stage::node,
    .applies = applies,
    .candidates = candidates,
    .replay = replay,
};

}  // namespace lockstep
