// y' = round(k real / s_y) + z_y: the node's factor is wrong by k (a scale lost, an exponent off, a
// wrong multiplier).
#include <algorithm>
#include <array>
#include <cmath>

#include "fault/fault_elements.h"
#include "fault/fault_eval.h"
#include "fault/fault_fit.h"
#include "fault/fault_nodes.h"
#include "fault/fault_search.h"

namespace lockstep {
namespace {

constexpr ParamSpec params[] = {
    {"k", "the factor by which the result is too large", 0.5, Takes::real()}};
constexpr std::array<std::string_view, 11> kOps = {
    "Conv",        "ConvTranspose",     "Gemm",      "MatMul", "Mul", "Div", "Add", "Sub",
    "AveragePool", "GlobalAveragePool", "ReduceMean"};
constexpr std::array kPowers = {0.5, 2.0, 0.25, 4.0, 0.125, 8.0, 0.0625, 16.0};

bool applies(const Site& site) {
  if (site.node == no_id || std::ranges::find(kOps, site.view().node.op) == kOps.end())
    return false;
  const NodeView n = site.view();
  return is_coded(n.output(0)) && n.has_input(0) && is_coded(n.input(0)) &&
         !n.output(0).quant.per_channel();
}

Result<void> replay(Replay& r) {
  const double k = param(params, r.params, "k");
  if (!(k > 0))
    return Error{"fault result-rescaled", "k=" + std::to_string(k), "a factor above 0", ""};
  ChangedNode node(r);
  for (double& scale : node.output().quant.scale) scale /= k;
  return node.eval_into(r);
}

// Powers of two, and a scale that is left out: an operand's or the result's own.
std::vector<double> meaningful(const NodeView& n) {
  std::vector<double> wishes(kPowers.begin(), kPowers.end());
  wishes.push_back(n.output(0).quant.scale_at(0));
  for (std::size_t i = 0; i < 2; ++i)
    if (n.has_input(i) && is_coded(n.input(i))) wishes.push_back(1 / n.input(i).quant.scale_at(0));
  return wishes;
}

// The factors that make of each expected code, known to half a step, what is observed.
Fit fitted(const NodeView& n, const Evidence& evidence) {
  const auto own = output_scale(n);
  std::vector<Interval> intervals;
  if (!own) return {};
  const double half = 0.51, infinity = std::numeric_limits<double>::infinity();
  for_elements(evidence, 1 << 16, [&](const Evidence::Item& item, std::int64_t i) {
    const std::int64_t was = item.expected->code(i), is = item.observed->code(i);
    if (was <= own->low || was >= own->high) return;
    const double right = std::fabs(static_cast<double>(was - own->zero));
    const double device = static_cast<double>(is - own->zero) * (was < own->zero ? -1 : 1);
    if (right < 2) return;
    const double low = (device - half) / (right + half), high = (device + half) / (right - half);
    if (is <= own->low || is >= own->high)
      intervals.push_back({device > 0 ? low : 0, device > 0 ? infinity : high});
    else
      intervals.push_back({std::min(low, high), std::max(low, high)});
  });
  return most_agreed(intervals);
}

std::vector<Params> candidates(const Site& site, const Evidence& evidence) {
  const NodeView n = site.view();
  std::vector<Params> sets;
  const Fit fit = fitted(n, evidence);
  if (fit.agreeing > 0 && fit.agreeing * 2 >= fit.elements && fit.high > 0 &&
      !(fit.low <= 1 && fit.high >= 1)) {
    const double low = std::max(fit.low, 1e-6), high = std::min(fit.high, 1e6);
    sets.push_back({{"k", snap(low, high, meaningful(n))}});
    for (int i = 1; i < 8; ++i) sets.push_back({{"k", low + (high - low) * i / 8}});
  }
  for (const double k : kPowers) sets.push_back({{"k", k}});
  return best_sets(site, evidence, std::move(sets), replay, 2);
}

std::vector<Params> fit(const Site& site, const Evidence& evidence, const Misfit& misfit) {
  const Fit near = fitted(site.view(), evidence);
  const bool known = near.agreeing > 0 && near.low > 0 && near.high < 1e6;
  const auto grid =
      known ? by_factors(near.low * 0.999, near.high * 1.001, 24) : by_factors(0.05, 16, 24);
  const auto found = least_misfit([&](double k) { return misfit({{"k", k}}); }, grid);
  if (!found) return {};
  return {{{"k", snap(found->low, found->high, meaningful(site.view()))}}};
}

}  // namespace

extern constinit const FaultDef fault_result_rescaled = {
    .name = "result-rescaled",
    .claim = "the result is {k} times what it should be",
    .advice =
        "compare multiplier and shift of this operation in the generated code with input scale "
        "times weight scale over output scale\n"
        "regenerate with the scales of this model; a power of two is a shift that is off by some "
        "bits",
    .stage = Stage::node,
    .params = params,
    .applies = applies,
    .candidates = candidates,
    .replay = replay,
    .fit = fit,
};

}  // namespace lockstep
