// M'_c = min(M_c, limit): a multiplier of 1 or more cannot be represented.
#include <algorithm>

#include "fault/fault_elements.h"
#include "fault/fault_fit.h"
#include "fault/fault_search.h"
#include "fault/fault_weights.h"

namespace lockstep {
namespace {

constexpr ParamSpec params[] = {{"limit", "the greatest multiplier; 0: half of the node's own greatest", 0}};

// Output steps per accumulator step of channel c.
double multiplier(const NodeView& n, std::size_t c) {
  return n.input(0).quant.scale_at(0) * n.input(kWeights).quant.scale_at(c) / n.output(0).quant.scale_at(0);
}

double greatest(const NodeView& n) {
  double most = 0;
  for (std::size_t c = 0; c < n.input(kWeights).quant.scale.size(); ++c) most = std::max(most, multiplier(n, c));
  return most;
}

bool applies(const Site& site) { return is_coded_sum(site); }

Result<void> replay(Replay& r) {
  const NodeView n = r.site.view();
  double limit = param(params, r.params, "limit");
  if (!(limit >= 0)) return Error{"fault multiplier-clipped", "limit " + std::to_string(limit), "at least 0", ""};
  if (limit == 0) limit = greatest(n) / 2;
  ChangedNode node(r);
  auto& scale = node.input(kWeights).quant.scale;
  for (std::size_t c = 0; c < scale.size(); ++c)
    if (const double own = multiplier(n, c); own > limit) scale[c] *= limit / own;
  return node.eval_into(r);
}

// The line of observed on expected over the channel with the greatest multiplier says how far it is clipped.
std::vector<Params> candidates(const Site& site, const Evidence& evidence) {
  const NodeView n = site.view();
  const double own = greatest(n);
  const Value& yv = n.output(0);
  const auto range = output_scale(n);
  if (!range || own <= 0) return {};
  const auto& scale = n.input(kWeights).quant.scale;
  const auto channel = static_cast<std::int64_t>(std::ranges::max_element(scale) - scale.begin());
  const std::size_t axis = channel_axis(n, yv.shape);
  std::vector<double> x, y;
  for_elements(evidence, 1 << 16, [&](const Evidence::Item& item, std::int64_t i) {
    if (scale.size() > 1 && index_along(yv.shape, axis, i) != channel) return;
    const std::int64_t was = item.expected->code(i), is = item.observed->code(i);
    if (was <= range->low || was >= range->high || is <= range->low || is >= range->high) return;
    x.push_back(static_cast<double>(was - range->zero));
    y.push_back(static_cast<double>(is - range->zero));
  });
  std::vector<Params> sets;
  for (const double limit : {1.0, 0.5, 0.25, own / 2})
    if (limit < own) sets.push_back({{"limit", limit}});
  // The only multiplier of a layer, cut to any other, is a result of another scale.
  if (const Line line = fit_line(x, y); scale.size() > 1 && line.valid && line.slope > 0.01 && line.slope < 0.99) {
    std::vector<double> wishes = {1, 0.5, 0.25, 0.125, own / 2};
    sets.push_back({{"limit", snap(own * line.slope * 0.98, own * line.slope * 1.02, wishes)}});
    sets.push_back({{"limit", own * line.slope}});
  }
  return best_sets(site, evidence, std::move(sets), replay, 1);
}

std::vector<Params> fit(const Site& site, const Evidence&, const Misfit& misfit) {
  const double own = greatest(site.view());
  if (!(own > 0) || site.view().input(kWeights).quant.scale.size() < 2) return {};
  // By the share of the node's own: what is clipped to 0.7 of it has a simpler share than limit.
  const auto found = least_misfit([&](double share) { return misfit({{"limit", own * share}}); }, by_factors(1.0 / 16, 0.999, 20));
  const double wishes[] = {1 / own, 0.5 / own, 0.25 / own, 0.125 / own, 0.5};
  if (!found) return {};
  return {{{"limit", own * snap(found->low, found->high, wishes)}}};
}

}  // namespace

extern constinit const FaultDef fault_multiplier_clipped = {
    .name = "multiplier-clipped",
    .claim = "multipliers above {limit?0:half of the greatest|:{limit}} are clipped",
    .advice = "choose the output scale so that input scale times weight scale stays below it",
    .stage = Stage::node,
    .scope = Scope::this_operator,
    .params = params,
    .applies = applies,
    .candidates = candidates,
    .replay = replay,
    .fit = fit,
};

}  // namespace lockstep
