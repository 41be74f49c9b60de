// acc' = bias + the first `used` products only: the tail of the sum is not accumulated.
#include <algorithm>
#include <set>

#include "fault/fault_search.h"
#include "fault/fault_sums.h"
#include "fault/fault_window.h"

namespace lockstep {
namespace {

constexpr ParamSpec params[] = {
    {"used", "products of each sum that are accumulated; 0: an eighth", 0},
    {"channel_first", "which runs faster: 0 the channel, 1 the tap", 0, Takes::flag()},
    {"padded", "taps in the padding: 0: left out beforehand; 1: counted like others", 0,
     Takes::flag()},
};

std::int64_t depth_of(const NodeView& n) {
  return count_of(n.input(kWeights).shape) / std::max<std::int64_t>(weight_channels(n), 1);
}

// Places of the window; 1 where there is none.
std::int64_t taps_of(const NodeView& n) {
  if (n.node.op != "Conv") return 1;
  const auto w = window_at(n);
  return w.ok() ? w->kernel_count() : 1;
}

bool pads(const NodeView& n) {
  if (n.node.op != "Conv") return false;
  const auto w = window_at(n);
  return w.ok() && w->begin[0] + w->begin[1] + w->begin[2] + w->end[0] + w->end[1] + w->end[2] > 0;
}

bool applies(const Site& site) {
  return has_terms(site) && depth_of(site.view()) > 1;
}

Result<void> replay(Replay& r) {
  auto used = static_cast<std::size_t>(std::max(0.0, param(params, r.params, "used")));
  if (used == 0)
    used = static_cast<std::size_t>(std::max<std::int64_t>(1, depth_of(r.site.view()) / 8));
  const auto order = param(params, r.params, "channel_first") != 0 ? TermOrder::channel_first
                                                                   : TermOrder::channel_last;
  const std::int32_t x_zero = r.site.view().input(0).quant.zero_at(0);
  return resum(
      r, order,
      [=](std::span<const Term> terms) {
        std::int64_t sum = 0;
        const std::size_t kept = std::min(used, terms.size());
        for (std::size_t i = 0; i < kept; ++i) sum += terms[i].x * terms[i].w;
        for (std::size_t i = kept; i < terms.size(); ++i) sum += x_zero * terms[i].w;
        return sum;
      },
      param(params, r.params, "padded") != 0);
}

std::vector<Params> candidates(const Site& site, const Evidence& evidence) {
  const std::int64_t depth = depth_of(site.view());
  std::set<std::int64_t> counts = {depth / 8, depth / 4, depth / 2};
  for (const std::int64_t tile : {4, 8, 16, 32, 64}) counts.insert(depth / tile * tile);
  std::vector<Params> sets;
  for (const std::int64_t used : counts)
    if (used > 0 && used < depth)
      for (const double first : {0.0, 1.0})
        sets.push_back({{"used", static_cast<double>(used)}, {"channel_first", first}});
  // The last tap, or the last channel, of a convolution; once more where its padding counts.
  const std::int64_t taps = taps_of(site.view());
  if (taps > 1)
    for (const double first : {0.0, 1.0})
      sets.push_back({{"used", static_cast<double>(depth - (first != 0 ? taps : depth / taps))},
                      {"channel_first", first}});
  std::erase_if(sets, [](const Params& p) { return p.at("used") <= 0; });
  if (pads(site.view()))
    for (std::size_t i = 0, plain = sets.size(); i < plain; ++i) {
      sets.push_back(sets[i]);
      sets.back()["padded"] = 1;
    }
  return best_sets(site, evidence, std::move(sets), replay, 1);
}

std::vector<Params> fit(const Site& site, const Evidence&, const Misfit& misfit) {
  std::vector<Params> sets;
  for (const double first : {0.0, 1.0})
    if (const auto found = least_misfit(
            [&](std::int64_t used) {
              return misfit({{"used", static_cast<double>(used)}, {"channel_first", first}});
            },
            1, depth_of(site.view()) - 1))
      sets.push_back({{"used", found->low}, {"channel_first", first}});
  return sets;
}

}  // namespace

extern constinit const FaultDef fault_products_dropped = {
    .name = "products-dropped",
    .claim =
        "only the first {used?0:eighth of the products of each sum is|1:product of each sum "
        "is|:{used} products of each sum are} accumulated, {channel_first?0:channels running "
        "faster than taps|1:taps running faster than channels}{padded?0:|1:, those in the "
        "padding counted}",
    .advice =
        "pad the input channels to a multiple of 16, or use another kernel version\n"
        "filters with few non-zero taps stay right: check those with many",
    .stage = Stage::node,
    .params = params,
    .applies = applies,
    .candidates = candidates,
    .replay = replay,
    .fit = fit,
    .cost = SumCost::each_product,
};

}  // namespace lockstep
