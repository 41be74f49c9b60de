// y' with k_i = min(s_i / s_y, 1): a multiplier above 1 cannot be represented and is clipped.
#include <algorithm>

#include "fault/fault_eval.h"
#include "fault/fault_nodes.h"

namespace lockstep {
namespace {

bool applies(const Site& site) {
  if (!is_coded_add(site)) return false;
  const NodeView n = site.view();
  const double y = n.output(0).quant.scale_at(0);
  return n.input(0).quant.scale_at(0) > y || n.input(1).quant.scale_at(0) > y;
}

Result<void> replay(Replay& r) {
  ChangedNode node(r);
  const double y = node.output().quant.scale_at(0);
  for (const std::size_t i : {0u, 1u})
    node.input(i).quant.scale[0] = std::min(node.input(i).quant.scale[0], y);
  return node.eval_into(r);
}

std::vector<Params> candidates(const Site& site, const Evidence& evidence) {
  return best_sets(site, evidence, {Params{}}, replay);
}

}  // namespace

extern constinit const FaultDef fault_add_multiplier_clipped = {
    .name = "add-multiplier-clipped",
    .claim = "operand multipliers above 1 are clipped to 1",
    .advice =
        "choose an output scale that is not below the operands' scales\n"
        "run this operation on the CPU, and compare",
    .stage = Stage::node,
    .scope = Scope::unequal_scales,
    .applies = applies,
    .candidates = candidates,
    .replay = replay,
};

}  // namespace lockstep
