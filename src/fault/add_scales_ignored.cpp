// y' = a - z_a + b - z_b + z_y: codes are added as they are, whatever their scales.
#include "fault/fault_eval.h"
#include "fault/fault_nodes.h"

namespace lockstep {
namespace {

bool applies(const Site& site) {
  if (!is_coded_add(site)) return false;
  const NodeView n = site.view();
  const double y = n.output(0).quant.scale_at(0);
  return n.input(0).quant.scale_at(0) != y || n.input(1).quant.scale_at(0) != y;
}

Result<void> replay(Replay& r) {
  ChangedNode node(r);
  for (const std::size_t i : {0u, 1u}) node.input(i).quant.scale = node.output().quant.scale;
  return node.eval_into(r);
}

std::vector<Params> candidates(const Site& site, const Evidence& evidence) {
  return best_sets(site, evidence, {Params{}}, replay);
}

}  // namespace

extern constinit const FaultDef fault_add_scales_ignored = {
    .name = "add-scales-ignored",
    .claim = "codes are added without regard to their scales",
    .advice =
        "run this operation on the CPU, and compare\n"
        "give both operands one scale (share one quantizer)",
    .stage = Stage::node,
    .scope = Scope::unequal_scales,
    .applies = applies,
    .candidates = candidates,
    .replay = replay,
};

}  // namespace lockstep
