// y' = conv of x padded with code 0 in place of its zero point.
#include <algorithm>

#include "fault/fault_nodes.h"
#include "fault/fault_window.h"

namespace lockstep {
namespace {

bool applies(const Site& site) {
  if (!is_coded_sum(site) || site.view().node.op != "Conv" ||
      site.view().input(0).quant.zero_at(0) == 0)
    return false;
  const auto w = window_at(site.view());
  return w.ok() && std::ranges::any_of(w->begin, [](auto p) { return p > 0; }) |
                       std::ranges::any_of(w->end, [](auto p) { return p > 0; });
}

Result<void> replay(Replay& r) {
  LOCKSTEP_TRY(const Window w, window_at(r.site.view()));
  ChangedNode node(r);
  set_window(node, w, w.begin, w.dilations, 0);
  return node.eval_into(r);
}

std::vector<Params> candidates(const Site& site, const Evidence& evidence) {
  return best_sets(site, evidence, {Params{}}, replay);
}

}  // namespace

extern constinit const FaultDef fault_pads_with_zero_code = {
    .name = "pads-with-zero-code",
    .claim = "the convolution pads with code 0 in place of the input's zero point",
    .advice =
        "pad with an operator of its own whose value is the zero point, or convolve without "
        "padding\n"
        "quantize the input symmetrically (zero point 0) and compare",
    .stage = Stage::node,
    .scope = Scope::this_operator,
    .applies = applies,
    .candidates = candidates,
    .replay = replay,
};

}  // namespace lockstep
