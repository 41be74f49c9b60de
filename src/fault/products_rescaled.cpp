// y' = requant(k sum + bias): the products are scaled by a wrong factor, as with another scale of
// the input, and the bias is right.
#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "fault/fault_elements.h"
#include "fault/fault_fine.h"
#include "fault/fault_fit.h"
#include "fault/fault_search.h"
#include "fault/fault_weights.h"

namespace lockstep {
namespace {

constexpr ParamSpec params[] = {
    {"k", "the factor by which the sums of products are too large", 0.5, Takes::real()}};
constexpr std::array kPowers = {0.5, 2.0, 0.25, 4.0, 0.125, 8.0, 0.0625, 16.0};

bool applies(const Site& site) {
  if (!is_coded_sum(site) || !has_weights(site) || site.view().output(0).quant.per_channel())
    return false;
  const Tensor* bias = site.view().constant(kBias);
  if (!bias || bias->count() != weight_channels(site.view()) || size_of(bias->dtype()) != 4)
    return false;
  for (std::int64_t i = 0; i < bias->count(); ++i)
    if (bias->code(i) != 0) return true;
  return false;  // without a bias the whole result is rescaled
}

// The bias is stored in steps of input scale times weight scale: as many fewer where those are
// more.
Result<void> replay(Replay& r) {
  const double k = param(params, r.params, "k");
  if (!(k > 0))
    return Error{"fault products-rescaled", "k=" + std::to_string(k), "a factor above 0", ""};
  ChangedNode node(r);
  for (double& scale : node.input(0).quant.scale) scale *= k;
  Tensor& bias = node.changed(kBias);
  constexpr double low = std::numeric_limits<std::int32_t>::min(),
                   high = std::numeric_limits<std::int32_t>::max();
  for (std::int64_t i = 0; i < bias.count(); ++i)
    bias.set_code(i, static_cast<std::int64_t>(std::clamp(
                         std::nearbyint(static_cast<double>(bias.code(i)) / k), low, high)));
  return node.eval_into(r);
}

// A channel's bias in steps of the output.
double bias_steps(const NodeView& n, std::int64_t channel) {
  const QuantParams& w = n.input(kWeights).quant;
  const double scale = w.scale_at(w.per_channel() ? static_cast<std::size_t>(channel) : 0);
  return static_cast<double>(n.constant(kBias)->code(channel)) * n.input(0).quant.scale_at(0) *
         scale / n.output(0).quant.scale_at(0);
}

// The factors that make of each sum what is observed, by the results before they are rounded.
Fit fitted(const Site& site, const Evidence& evidence) {
  constexpr double error = 1.0 / 100, least = 1, finest = 255, infinity = 1e30;
  constexpr std::size_t most = 1 << 15;
  const NodeView n = site.view();
  const auto range = output_scale(n);
  if (!range) return {};
  const std::size_t axis = channel_axis(n, n.output(0).shape);
  std::vector<double> bias;
  for (std::int64_t c = 0; c < weight_channels(n); ++c) bias.push_back(bias_steps(n, c));
  std::vector<Interval> intervals;
  for (const Evidence::Item& item : evidence.items) {
    if (!item.observed || !item.expected || intervals.size() >= most) continue;
    const std::vector<double> fine = fine_results(site, item);
    for (std::int64_t i = 0; i < std::ssize(fine) && intervals.size() < most; ++i) {
      const double right = fine[static_cast<std::size_t>(i)];
      const double b =
          bias[static_cast<std::size_t>(index_along(n.output(0).shape, axis, i)) % bias.size()];
      const double sum = right - b;
      const bool clamped = right <= static_cast<double>(range->low - range->zero) ||
                           right >= static_cast<double>(range->high - range->zero);
      if (clamped || std::fabs(right) > finest || std::fabs(sum) < least) continue;
      const std::int64_t code = item.observed->code(i);
      const double is = static_cast<double>(code - range->zero) - b;
      const double from = (code <= range->low ? -infinity : is - 0.5 - error) / sum,
                   to = (code >= range->high ? infinity : is + 0.5 + error) / sum;
      intervals.push_back({std::min(from, to), std::max(from, to)});
    }
  }
  return most_agreed(intervals);
}

std::vector<double> meaningful(const NodeView& n) {
  std::vector<double> wishes(kPowers.begin(), kPowers.end());
  for (const double scale : {n.input(0).quant.scale_at(0), n.output(0).quant.scale_at(0)})
    wishes.insert(wishes.end(), {1 / scale, scale});
  return wishes;
}

std::vector<Params> candidates(const Site& site, const Evidence& evidence) {
  constexpr int parts = 8;
  const NodeView n = site.view();
  std::vector<Params> sets;
  const Fit fit = fitted(site, evidence);
  if (fit.elements > 0 && fit.agreeing * 10 >= fit.elements * 9 && fit.high > 0 &&
      !(fit.low <= 1 && fit.high >= 1)) {
    const double low = std::max(fit.low, 1e-6), high = std::min(fit.high, 1e6);
    sets.push_back({{"k", snap(low, high, meaningful(n))}});
    for (int i = -1; i <= parts + 1; ++i) sets.push_back({{"k", low + (high - low) * i / parts}});
  }
  for (const double k : kPowers) sets.push_back({{"k", k}});
  return best_sets(site, evidence, std::move(sets), replay, 1);
}

std::vector<Params> fit(const Site& site, const Evidence&, const Misfit& misfit) {
  const auto found = least_misfit(
      [&](double k) {
        return misfit({{"k", k}});
      },
      by_factors(0.05, 16, 24));
  if (!found) return {};
  return {{{"k", snap(found->low, found->high, meaningful(site.view()))}}};
}

}  // namespace

extern constinit const FaultDef fault_products_rescaled = {
    .name = "products-rescaled",
    .claim = "the sums of products count {k} times, the bias is right: another input scale",
    .advice =
        "compare the input scale of this operation in the generated code with the scale of the "
        "tensor that it reads\n"
        "regenerate multiplier and bias together: both hold the input scale",
    .stage = Stage::node,
    .params = params,
    .applies = applies,
    .candidates = candidates,
    .replay = replay,
    .fit = fit,
};

}  // namespace lockstep
