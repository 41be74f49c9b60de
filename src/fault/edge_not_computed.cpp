// y'[.., i, ..] = fill for i from the last rows, or columns, on: the loop over places ends too
// early.
#include <algorithm>

#include "fault/fault_input.h"
#include "fault/fault_nodes.h"
#include "fault/fault_tail.h"

namespace lockstep {
namespace {

constexpr ParamSpec params[] = {
    {"axis", "spatial axis from 0 on; -1: the last", -1},
    {"lost", "rows or columns that are not computed", 1},
    {"fill", "0: zero bytes stand there; 1: the zero point; 2: what was read a run earlier", 0,
     Takes::up_to(2)},
};

// The axes of a picture or a series beside batch and channels.
std::vector<std::size_t> spatial_axes(const Site& site) {
  std::vector<std::size_t> axes;
  const std::size_t rank = site_value(site).shape.size();
  const std::size_t first = channels_last(site) ? 1 : 2,
                    end = channels_last(site) ? rank - 1 : rank;
  for (std::size_t a = first; rank >= 3 && a < end; ++a) axes.push_back(a);
  return axes;
}

bool applies(const Site& site) {
  if (site.node == no_id || site.view().node.outputs[0] == no_id ||
      computed_inputs(site.view()).empty())
    return false;
  return std::ranges::any_of(spatial_axes(site),
                             [&](std::size_t a) { return site_value(site).shape[a] > 1; });
}

Result<void> replay(Replay& r) {
  const auto axes = spatial_axes(r.site);
  const double axis = param(params, r.params, "axis"), lost = param(params, r.params, "lost");
  if (axes.empty() || axis >= static_cast<double>(axes.size()))
    return Error{"fault edge-not-computed", "axis " + std::to_string(axis),
                 "a spatial axis of the output", ""};
  const std::size_t a = axis < 0 ? axes.back() : axes[static_cast<std::size_t>(axis)];
  fill_tail(r, a, r.out[0].shape()[a] - static_cast<std::int64_t>(lost),
            param(params, r.params, "fill"));
  return {};
}

std::vector<Params> candidates(const Site& site, const Evidence& evidence) {
  const auto axes = spatial_axes(site);
  const Shape& shape = site_value(site).shape;
  const bool seen = std::ranges::any_of(
      evidence.items, [](const Evidence::Item& i) { return i.observed && i.expected; });
  std::vector<Params> sets;
  for (std::size_t a = 0; a < axes.size(); ++a) {
    const std::int64_t extent = shape[axes[a]],
                       first = seen ? first_wrong_along(site, evidence, axes[a]) : extent - 1;
    if (first <= 0 || first >= extent) continue;
    for (const double fill : {0.0, 1.0, 2.0})
      sets.push_back({{"axis", static_cast<double>(a)},
                      {"lost", static_cast<double>(extent - first)},
                      {"fill", fill}});
  }
  return best_sets(site, evidence, std::move(sets), replay, 1);
}

}  // namespace

extern constinit const FaultDef fault_edge_not_computed = {
    .name = "edge-not-computed",
    .claim =
        "{lost?1:the last row or column is|:the last {lost} rows or columns are} not "
        "computed{axis?-1:|:, along spatial axis {axis}}: {fill?0:zero bytes stand "
        "there|1:the zero point stands there|2:what was read there a run earlier stays}",
    .advice =
        "check the loop bounds of the kernel for extents that are no multiple of its tile\n"
        "pad the picture to such a multiple, or use another kernel or version",
    .stage = Stage::node,
    .params = params,
    .applies = applies,
    .candidates = candidates,
    .replay = replay,
};

}  // namespace lockstep
