// y'[o] = sum of x[o s - b + k] w[k] without the dilation between taps.
#include <algorithm>

#include "fault/fault_nodes.h"
#include "fault/fault_window.h"

namespace lockstep {
namespace {

constexpr ParamSpec params[] = {{"anchor",
                                 "which tap stays in place: 0 the first, 1 the middle, 2 the last",
                                 0, Takes::up_to(2)}};

bool applies(const Site& site) {
  if (site.node == no_id || site.view().node.op != "Conv") return false;
  const auto w = window_at(site.view());
  if (!w.ok()) return false;
  for (std::size_t a = 0; a < 3; ++a)
    if (w->dilations[a] > 1 && w->kernel[a] > 1) return true;
  return false;
}

Result<void> replay(Replay& r) {
  const double anchor = param(params, r.params, "anchor");
  if (anchor != 0 && anchor != 1 && anchor != 2)
    return Error{"fault dilation-lost", "anchor " + std::to_string(anchor), "0, 1 or 2", ""};
  LOCKSTEP_TRY(const Window w, window_at(r.site.view()));
  Window::Axes begin = w.begin;
  for (std::size_t a = 0; a < 3; ++a)
    begin[a] -= (w.kernel[a] - 1) * (w.dilations[a] - 1) * static_cast<std::int64_t>(anchor) / 2;
  ChangedNode node(r);
  const Value& x = r.site.view().input(0);
  set_window(node, w, begin, {1, 1, 1}, is_coded(x) ? x.quant.zero_at(0) : 0);
  return node.eval_into(r);
}

std::vector<Params> candidates(const Site& site, const Evidence& evidence) {
  return best_sets(site, evidence, {{{"anchor", 0}}, {{"anchor", 1}}, {{"anchor", 2}}}, replay, 1);
}

}  // namespace

extern constinit const FaultDef fault_dilation_lost = {
    .name = "dilation-lost",
    .claim =
        "the convolution ignores its dilation, with its {anchor?0:first|1:middle|2:last} tap "
        "in place",
    .advice =
        "rewrite it as a convolution without dilation on interleaved parts, or with zeros between "
        "the taps\n"
        "test the impulse response: one hot element in, the taps' places out",
    .stage = Stage::node,
    .scope = Scope::this_operator,
    .params = params,
    .applies = applies,
    .candidates = candidates,
    .replay = replay,
};

}  // namespace lockstep
