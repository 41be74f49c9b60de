// y' = sum / k^2 where the padding does not count, or sum / n where it does.
#include <algorithm>

#include "fault/fault_nodes.h"
#include "fault/fault_window.h"

namespace lockstep {
namespace {

bool applies(const Site& site) {
  if (site.node == no_id || site.view().node.op != "AveragePool") return false;
  const auto w = window_at(site.view());
  return w.ok() && (std::ranges::any_of(w->begin, [](auto p) { return p > 0; }) ||
                    std::ranges::any_of(w->end, [](auto p) { return p > 0; }));
}

Result<void> replay(Replay& r) {
  ChangedNode node(r);
  const bool counts = node.attrs().integer("count_include_pad", 0) != 0;
  const Value& x = r.site.view().input(0);
  if (counts || !is_coded(x)) {
    node.attrs().set("count_include_pad", std::int64_t{!counts});
    return node.eval_into(r);
  }
  // On codes: what lies in the padding is the zero point, and the divisor the whole window.
  LOCKSTEP_TRY(const Window w, window_at(r.site.view()));
  set_window(node, w, w.begin, w.dilations, x.quant.zero_at(0));
  return node.eval_into(r);
}

std::vector<Params> candidates(const Site& site, const Evidence& evidence) {
  return best_sets(site, evidence, {Params{}}, replay);
}

}  // namespace

extern constinit const FaultDef fault_pool_divisor = {
    .name = "pool-divisor",
    .claim = "the average divides by the wrong count where the window reaches into the padding",
    .advice = "set count_include_pad as the device does, or pad first and pool without padding",
    .stage = Stage::node,
    .scope = Scope::this_operator,
    .applies = applies,
    .candidates = candidates,
    .replay = replay,
};

}  // namespace lockstep
