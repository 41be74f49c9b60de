// y'[o] = the window `by` elements earlier: padding is put at the other side.
#include <algorithm>

#include "fault/fault_nodes.h"
#include "fault/fault_window.h"

namespace lockstep {
namespace {

constexpr ParamSpec params[] = {
    {"by",
     "elements by which more is padded before (negative: after); 0: before and after change places",
     0},
    {"axis", "spatial axis from 0 on; -1: all that are padded", -1},
};

bool pads(const Window& w, std::size_t a) {
  return w.begin[a] > 0 || w.end[a] > 0;
}

bool applies(const Site& site) {
  if (site.node == no_id ||
      (site.view().node.op != "Conv" && site.view().node.op != "AveragePool" &&
       site.view().node.op != "MaxPool"))
    return false;
  if (site.view().node.op != "Conv")
    return false;  // pools leave padding out: it cannot be written into x
  const auto w = window_at(site.view());
  return w.ok() && (pads(*w, 0) || pads(*w, 1) || pads(*w, 2));
}

Result<void> replay(Replay& r) {
  LOCKSTEP_TRY(const Window w, window_at(r.site.view()));
  const auto by = static_cast<std::int64_t>(param(params, r.params, "by"));
  const double axis = param(params, r.params, "axis");
  Window::Axes begin = w.begin;
  for (std::size_t a = 0; a < 3; ++a) {
    if (!pads(w, a) || (axis >= 0 && a != static_cast<std::size_t>(axis) + 3 - w.spatial_rank))
      continue;
    // Symmetric padding changes places with itself: one element is moved before.
    begin[a] = by != 0 ? w.begin[a] + by : w.begin[a] == w.end[a] ? w.begin[a] + 1 : w.end[a];
  }
  ChangedNode node(r);
  const Value& x = r.site.view().input(0);
  set_window(node, w, begin, w.dilations, is_coded(x) ? x.quant.zero_at(0) : 0);
  return node.eval_into(r);
}

std::vector<Params> candidates(const Site& site, const Evidence& evidence) {
  const auto w = window_at(site.view());
  if (!w.ok()) return {};
  std::vector<Params> sets = {{{"by", 0}, {"axis", -1}}};
  const std::int64_t most =
      std::max({w->begin[0] + w->end[0], w->begin[1] + w->end[1], w->begin[2] + w->end[2]});
  for (std::int64_t by = 1; by <= std::clamp<std::int64_t>(most, 2, 4); ++by)
    for (const std::int64_t sign : {1, -1}) {
      for (std::size_t a = 0; a < w->spatial_rank; ++a)
        if (pads(*w, 3 - w->spatial_rank + a))
          sets.push_back(
              {{"by", static_cast<double>(sign * by)}, {"axis", static_cast<double>(a)}});
      sets.push_back({{"by", static_cast<double>(sign * by)}, {"axis", -1}});
    }
  return best_sets(site, evidence, std::move(sets), replay, 1);
}

}  // namespace

extern constinit const FaultDef fault_pads_asymmetric = {
    .name = "pads-asymmetric",
    .claim =
        "{by?0:the padding before and after changes places|:padding is put at the wrong "
        "side: {by#element} more {by?<0:after|:before}}{axis?-1:|:, along spatial axis "
        "{axis}}",
    .advice =
        "write symmetric padding, or an explicit Pad before a convolution without padding\n"
        "check SAME_UPPER against SAME_LOWER where the stride is 2",
    .stage = Stage::node,
    .params = params,
    .applies = applies,
    .candidates = candidates,
    .replay = replay,
};

}  // namespace lockstep
