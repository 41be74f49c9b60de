// M'_c = min(M_c, limit): a multiplier of 1 or more cannot be represented.
#include <algorithm>
#include <cmath>

#include "fault/fault_elements.h"
#include "fault/fault_fine.h"
#include "fault/fault_fit.h"
#include "fault/fault_search.h"
#include "fault/fault_weights.h"

namespace lockstep {
namespace {

constexpr ParamSpec params[] = {
    {"limit", "the greatest multiplier; 0: half of the node's own greatest", 0, Takes::real()}};

// Output steps per accumulator step of channel c.
double multiplier(const NodeView& n, std::size_t c) {
  return n.input(0).quant.scale_at(0) * n.input(kWeights).quant.scale_at(c) /
         n.output(0).quant.scale_at(0);
}

double greatest(const NodeView& n) {
  double most = 0;
  for (std::size_t c = 0; c < n.input(kWeights).quant.scale.size(); ++c)
    most = std::max(most, multiplier(n, c));
  return most;
}

bool applies(const Site& site) {
  return is_coded_sum(site);
}

Result<void> replay(Replay& r) {
  const NodeView n = r.site.view();
  double limit = param(params, r.params, "limit");
  if (!(limit >= 0))
    return Error{"fault multiplier-clipped", "limit " + std::to_string(limit), "at least 0", ""};
  if (limit == 0) limit = greatest(n) / 2;
  ChangedNode node(r);
  auto& scale = node.input(kWeights).quant.scale;
  for (std::size_t c = 0; c < scale.size(); ++c)
    if (const double own = multiplier(n, c); own > limit) scale[c] *= limit / own;
  return node.eval_into(r);
}

// What the channel with the greatest multiplier shows: its own results before they are rounded, and
// the device's codes.
Fit of_greatest(const NodeView& n, const Site& site, const Evidence& evidence, std::int64_t channel,
                const CodeScale& range) {
  const Value& yv = n.output(0);
  const std::size_t axis = channel_axis(n, yv.shape);
  const double error = 1.0 / 200;
  std::vector<Interval> intervals;
  for (const Evidence::Item& item : evidence.items) {
    if (!item.observed || !item.expected) continue;
    const std::vector<double> fine = fine_results(site, item);
    for (std::int64_t i = 0; i < std::ssize(fine); ++i) {
      const double right = std::fabs(fine[static_cast<std::size_t>(i)]),
                   sign = fine[static_cast<std::size_t>(i)] < 0 ? -1 : 1;
      const std::int64_t is = item.observed->code(i);
      if (index_along(yv.shape, axis, i) != channel || right < 1 || right > 255 ||
          is <= range.low || is >= range.high)
        continue;
      const double device = sign * static_cast<double>(is - range.zero);
      intervals.push_back({(device - 0.5) / (right + error), (device + 0.5) / (right - error)});
    }
  }
  return most_agreed(intervals);
}

std::vector<Params> candidates(const Site& site, const Evidence& evidence) {
  const NodeView n = site.view();
  const double own = greatest(n);
  const auto range = output_scale(n);
  if (!range || own <= 0) return {};
  const auto& scale = n.input(kWeights).quant.scale;
  const auto channel = static_cast<std::int64_t>(std::ranges::max_element(scale) - scale.begin());
  std::vector<Params> sets;
  for (const double limit : {1.0, 0.5, 0.25, own / 2})
    if (limit < own) sets.push_back({{"limit", limit}});
  // The only multiplier of a layer, cut to any other, is a result of another scale.
  const Fit fit = scale.size() > 1 ? of_greatest(n, site, evidence, channel, *range) : Fit{};
  if (fit.agreeing > 1 && fit.agreeing * 10 >= fit.elements * 9 && fit.high > 0.01 &&
      fit.low < 0.99) {
    const double low = std::max(fit.low, 0.01), high = std::min(fit.high, 0.999);
    const double wishes[] = {1 / own, 0.5 / own, 0.25 / own, 0.125 / own, 0.5};
    sets.push_back({{"limit", own * snap(low, high, wishes)}});
    // A little beyond both ends: runtimes that round twice leave the interval at ties.
    for (int i = -6; i <= 18; ++i) sets.push_back({{"limit", own * (low + (high - low) * i / 12)}});
  }
  return best_sets(site, evidence, std::move(sets), replay, 1);
}

std::vector<Params> fit(const Site& site, const Evidence&, const Misfit& misfit) {
  const double own = greatest(site.view());
  if (!(own > 0) || site.view().input(kWeights).quant.scale.size() < 2) return {};
  // By the share of the node's own: what is clipped to 0.7 of it has a simpler share than limit.
  const auto found = least_misfit(
      [&](double share) {
        return misfit({{"limit", own * share}});
      },
      by_factors(1.0 / 16, 0.999, 20));
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
