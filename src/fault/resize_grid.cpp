// y'[i] = x at another sample grid: half-pixel, asymmetric, aligned corners; or nearest for linear.
#include <array>

#include "fault/fault_eval.h"
#include "fault/fault_nodes.h"

namespace lockstep {
namespace {

constexpr ParamSpec params[] = {
    {"grid",
     "0: half_pixel; 1: asymmetric; 2: align_corners; 3: pytorch_half_pixel; 4: the node's own", 1,
     Takes::up_to(4)},
    {"mode", "0: the node's own; 1: nearest; 2: linear", 0, Takes::up_to(2)},
    {"nearest", "0: the node's own; 1: floor; 2: ceil; 3: round_prefer_floor; 4: round_prefer_ceil",
     0, Takes::up_to(4)},
};
constexpr std::array<const char*, 4> kGrids = {"half_pixel", "asymmetric", "align_corners",
                                               "pytorch_half_pixel"};
constexpr std::array<const char*, 3> kModes = {"", "nearest", "linear"};
constexpr std::array<const char*, 5> kNearest = {"", "floor", "ceil", "round_prefer_floor",
                                                 "round_prefer_ceil"};

// TFLite's two operators have a grid, by two switches, and no choice of mode or rounding.
bool has_switches(const NodeView& n) {
  return n.node.op == "ResizeBilinear" || n.node.op == "ResizeNearest";
}

bool applies(const Site& site) {
  return site.node != no_id && (site.view().node.op == "Resize" || has_switches(site.view()));
}

Result<void> replay(Replay& r) {
  const double grid = param(params, r.params, "grid"), mode = param(params, r.params, "mode");
  const double nearest = param(params, r.params, "nearest");
  if (!(grid >= 0 && grid <= 4 && mode >= 0 && mode <= 2 && nearest >= 0 && nearest <= 4))
    return Error{"fault resize-grid", "a grid, mode or rounding outside the lists",
                 "grid 0 .. 4, mode 0 .. 2, nearest 0 .. 4", ""};
  ChangedNode node(r);
  if (has_switches(r.site.view())) {
    if (grid > 2 || mode > 0 || nearest > 0)
      return Error{r.site.view().where(), "this resize knows no such grid, mode or rounding",
                   "grid 0 .. 2", ""};
    node.attrs().set("half_pixel_centers", std::int64_t{grid == 0});
    node.attrs().set("align_corners", std::int64_t{grid == 2});
    return node.eval_into(r);
  }
  if (grid < 4)
    node.attrs().set("coordinates", std::string(kGrids[static_cast<std::size_t>(grid)]));
  if (mode > 0) node.attrs().set("mode", std::string(kModes[static_cast<std::size_t>(mode)]));
  if (nearest > 0)
    node.attrs().set("nearest_mode", std::string(kNearest[static_cast<std::size_t>(nearest)]));
  return node.eval_into(r);
}

std::vector<Params> candidates(const Site& site, const Evidence& evidence) {
  std::vector<Params> sets;
  if (has_switches(site.view()))
    return best_sets(site, evidence, {{{"grid", 0}}, {{"grid", 1}}, {{"grid", 2}}}, replay);
  const bool nearest = site.view().attrs().text("mode", "nearest") == "nearest";
  for (const double grid : {4.0, 0.0, 1.0, 2.0, 3.0})
    for (const double mode : {0.0, nearest ? 2.0 : 1.0})
      for (double rounding = 0; rounding <= 4; ++rounding)
        if (rounding == 0 || nearest || mode == 1)
          sets.push_back({{"grid", grid}, {"mode", mode}, {"nearest", rounding}});
  return best_sets(site, evidence, std::move(sets), replay);
}

}  // namespace

extern constinit const FaultDef fault_resize_grid = {
    .name = "resize-grid",
    .claim =
        "the resize samples {grid?0:at half pixels|1:an asymmetric grid|2:with corners "
        "aligned|3:at half pixels, as PyTorch does|4:its own grid}{mode?0:|1:, the nearest "
        "value|2:, linearly}{nearest?0:|1:, rounding down|2:, rounding up|3:, halves rounded "
        "down|4:, halves rounded up}, which is not what the model says",
    .advice =
        "use nearest with an integer factor, a transposed convolution, or resize before the "
        "network\n"
        "test the operator in the middle of a graph: at its ends converters treat it apart",
    .stage = Stage::node,
    .scope = Scope::this_operator,
    .params = params,
    .applies = applies,
    .candidates = candidates,
    .replay = replay,
};

}  // namespace lockstep
