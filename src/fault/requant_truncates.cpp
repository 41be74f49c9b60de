// y' = floor (or truncation toward zero, or ceil) of the exact result in place of its rounding.
#include "fault/fault_nodes.h"
#include "fault/fault_rounding.h"

namespace lockstep {
namespace {

constexpr ParamSpec params[] = {
    {"toward_zero", "0: always down; 1: toward zero; 2: always up", 0, Takes::up_to(2)}};

bool applies(const Site& site) {
  return is_rounded(site);
}

Result<void> replay(Replay& r) {
  ChangedNode node(r);
  const double way = param(params, r.params, "toward_zero");
  round_by(node, way == 2 ? Rounding::up : way != 0 ? Rounding::toward_zero : Rounding::down);
  return node.eval_into(r);
}

std::vector<Params> candidates(const Site& site, const Evidence& evidence) {
  return best_sets(site, evidence,
                   {{{"toward_zero", 0}}, {{"toward_zero", 1}}, {{"toward_zero", 2}}}, replay, 1);
}

}  // namespace

extern constinit const FaultDef fault_requant_truncates = {
    .name = "requant-truncates",
    .claim =
        "results are {toward_zero?0:always rounded down|1:cut off toward zero|2:always "
        "rounded up}, in place of to the nearest code",
    .advice =
        "the bias of half a step is one-sided and adds up over layers: look for a rounding option "
        "of the runtime",
    .stage = Stage::node,
    .scope = Scope::every_node,
    .params = params,
    .applies = applies,
    .candidates = candidates,
    .replay = replay,
};

}  // namespace lockstep
