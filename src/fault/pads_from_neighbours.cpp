// y' = the window with x[nearest inside], or what lies in memory there, in place of the padding's
// zero point.
#include <algorithm>

#include "fault/fault_nodes.h"
#include "fault/fault_window.h"

namespace lockstep {
namespace {

constexpr ParamSpec params[] = {
    {"from",
     "0: the edge is repeated; 1: the row is left, and the next one's begin is read; 2: whatever "
     "lies there in memory; "
     "3: the picture is mirrored at its edge; 4: the other end of the axis is read",
     0, Takes::up_to(4)}};

bool pads(const Window& w) {
  for (std::size_t a = 0; a < 3; ++a)
    if (w.begin[a] > 0 || w.end[a] > 0) return true;
  return false;
}

bool applies(const Site& site) {
  if (site.node == no_id || site.view().node.op != "Conv") return false;
  const auto w = window_at(site.view());
  return w.ok() && w->in_count() > 0 && pads(*w);
}

// The place in the input's plane that is read for one beyond its edge; -1: padding as it should be.
std::int64_t place(const Window& w, const Window::Axes& at, int from) {
  Window::Axes i = at;
  for (std::size_t a = 0; a < 3; ++a) {
    const std::int64_t n = w.in[a];
    if (from == 0) i[a] = std::clamp<std::int64_t>(i[a], 0, n - 1);
    if (from == 3 && n > 1) i[a] = i[a] < 0 ? -i[a] : i[a] >= n ? 2 * n - 2 - i[a] : i[a];
    if (from == 4) i[a] = (i[a] % n + n) % n;
    const bool inside = i[a] >= 0 && i[a] < n;
    if (!inside && (from == 3 || (from == 1 && a < 2))) return -1;
  }
  const std::int64_t linear = (i[0] * w.in[1] + i[1]) * w.in[2] + i[2];
  return linear >= 0 && linear < w.in_count() ? linear : -1;
}

Result<void> replay(Replay& r) {
  LOCKSTEP_TRY(const Window w, window_at(r.site.view()));
  const auto from = static_cast<int>(param(params, r.params, "from"));
  if (from < 0 || from > 4)
    return Error{"fault pads-from-neighbours", "from=" + std::to_string(from), "0 .. 4", ""};
  ChangedNode node(r);
  const Value& x = r.site.view().input(0);
  set_window(node, w, w.begin, w.dilations, is_coded(x) ? x.quant.zero_at(0) : 0,
             [&w, from](const Window::Axes& at) { return place(w, at, from); });
  return node.eval_into(r);
}

std::vector<Params> candidates(const Site& site, const Evidence& evidence) {
  std::vector<Params> sets;
  for (double from = 0; from <= 4; ++from) sets.push_back({{"from", from}});
  return best_sets(site, evidence, std::move(sets), replay, 1);
}

}  // namespace

extern constinit const FaultDef fault_pads_from_neighbours = {
    .name = "pads-from-neighbours",
    .claim =
        "where the convolution should pad, it {from?0:repeats the edge|1:runs on into the "
        "next row|2:reads whatever lies there in memory|3:mirrors the picture at its "
        "edge|4:reads from the other end of the axis}",
    .advice =
        "pad by an operation of its own, and let the convolution pad nothing\n"
        "check the bounds that the kernel tests: each axis, both ends",
    .stage = Stage::node,
    .params = params,
    .applies = applies,
    .candidates = candidates,
    .replay = replay,
};

}  // namespace lockstep
