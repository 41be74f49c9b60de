// y' = the operands' codes as they are, one after the other, whatever their scales.
#include "fault/fault_eval.h"
#include "fault/fault_nodes.h"

namespace lockstep {
namespace {

bool applies(const Site& site) {
  if (site.node == no_id || site.view().node.op != "Concat") return false;
  const NodeView n = site.view();
  for (std::size_t i = 0; i < n.input_count(); ++i)
    if (is_coded(n.output(0)) && is_coded(n.input(i)) && n.input(i).quant != n.output(0).quant)
      return true;
  return false;
}

Result<void> replay(Replay& r) {
  ChangedNode node(r);
  for (std::size_t i = 0; i < node.input_count(); ++i) node.input(i).quant = node.output().quant;
  return node.eval_into(r);
}

std::vector<Params> candidates(const Site& site, const Evidence& evidence) {
  return best_sets(site, evidence, {Params{}}, replay);
}

}  // namespace

extern constinit const FaultDef fault_concat_not_rescaled = {
    .name = "concat-not-rescaled",
    .claim = "codes are copied together without regard to their scales",
    .advice = "give all operands of the Concat one scale and zero point",
    .stage = Stage::node,
    .scope = Scope::unequal_scales,
    .applies = applies,
    .candidates = candidates,
    .replay = replay,
};

}  // namespace lockstep
