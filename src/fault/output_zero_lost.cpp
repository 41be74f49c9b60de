// y' = clamp(round(real / s_y)): the zero point of the result is not added.
#include <algorithm>
#include <array>

#include "fault/fault_eval.h"
#include "fault/fault_nodes.h"

namespace lockstep {
namespace {

constexpr std::array<std::string_view, 8> kOps = {"Conv", "Gemm", "MatMul", "Add", "Sub", "Mul", "AveragePool", "GlobalAveragePool"};

bool applies(const Site& site) {
  if (site.node == no_id || site.view().node.outputs[0] == no_id) return false;
  const NodeView n = site.view();
  return is_coded(n.output(0)) && n.output(0).quant.zero_at(0) != 0 && std::ranges::find(kOps, n.node.op) != kOps.end();
}

Result<void> replay(Replay& r) {
  ChangedNode node(r);
  for (std::int32_t& z : node.output().quant.zero) z = 0;
  return node.eval_into(r);
}

std::vector<Params> candidates(const Site& site, const Evidence& evidence) {
  return best_sets(site, evidence, {Params{}}, replay);
}

}  // namespace

extern constinit const FaultDef fault_output_zero_lost = {
    .name = "output-zero-lost",
    .claim = "the zero point of the result is not added",
    .advice = "quantize the output symmetrically (zero point 0) and compare\n"
              "run this operation on the CPU",
    .stage = Stage::node,
    .scope = Scope::this_operator,
    .applies = applies,
    .candidates = candidates,
    .replay = replay,
};

}  // namespace lockstep
