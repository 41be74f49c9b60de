// y' = requant(s_b (a - z_a) + s_a (b - z_b)): each operand enters with the other's scale.
#include <utility>

#include "fault/fault_eval.h"
#include "fault/fault_nodes.h"

namespace lockstep {
namespace {

bool applies(const Site& site) {
  return is_coded_add(site) &&
         site.view().input(0).quant.scale_at(0) != site.view().input(1).quant.scale_at(0);
}

Result<void> replay(Replay& r) {
  ChangedNode node(r);
  std::swap(node.input(0).quant.scale, node.input(1).quant.scale);
  return node.eval_into(r);
}

std::vector<Params> candidates(const Site& site, const Evidence& evidence) {
  return best_sets(site, evidence, {Params{}}, replay);
}

}  // namespace

extern constinit const FaultDef fault_add_scales_swapped = {
    .name = "add-scales-swapped",
    .claim = "the scales of the two operands are swapped",
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
