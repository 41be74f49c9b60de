// y' = softmax(gamma x): the scale of the logits, or beta, is lost or wrong; gamma 0 gives 1/C
// everywhere.
#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "fault/fault_elements.h"
#include "fault/fault_eval.h"
#include "fault/fault_fit.h"
#include "fault/fault_nodes.h"
#include "fault/fault_search.h"

namespace lockstep {
namespace {

constexpr ParamSpec params[] = {{"gamma", "factor of the logits", 0, Takes::real()}};

bool applies(const Site& site) {
  return site.node != no_id && site.view().node.op == "Softmax";
}

Result<void> replay(Replay& r) {
  const double gamma = param(params, r.params, "gamma");
  if (!(gamma >= 0))
    return Error{"fault softmax-scale", "gamma " + std::to_string(gamma), "at least 0", ""};
  ChangedNode node(r);
  Tensor& x = node.changed(0);
  if (gamma == 0)
    std::ranges::fill(x.bytes(), std::byte{0});
  else if (is_coded(node.input(0)))
    node.input(0).quant.scale[0] *= gamma;
  else
    for (std::int64_t i = 0; i < x.count(); ++i) x.set_number(i, x.number(i) * gamma);
  return node.eval_into(r);
}

double real_of(const Value& v, const Tensor& t, std::int64_t i) {
  return is_coded(v) ? v.quant.scale_at(0) * static_cast<double>(t.code(i) - v.quant.zero_at(0))
                     : t.number(i);
}

// gamma from the ratio of two probabilities of one row: ln(p / p_max) = gamma (x - x_max).
std::vector<Interval> intervals_of(const NodeView& n, const Evidence& evidence) {
  const Shape& shape = n.input(0).shape;
  const std::int64_t row = shape.empty() ? 1 : shape.back();
  const Value &xv = n.input(0), &yv = n.output(0);
  const double half = is_coded(yv) ? yv.quant.scale_at(0) : 1e-6;
  std::vector<Interval> intervals;
  for (const Evidence::Item& item : evidence.items) {
    if (!item.observed || item.in.empty() || !item.in[0]) continue;
    for (std::int64_t first = 0; first + row <= item.observed->count(); first += row) {
      std::int64_t top = first;
      for (std::int64_t i = first; i < first + row; ++i)
        if (item.in[0]->number(i) > item.in[0]->number(top)) top = i;
      const double p_top = real_of(yv, *item.observed, top), x_top = real_of(xv, *item.in[0], top);
      for (std::int64_t i = first; i < first + row; ++i) {
        const double d = real_of(xv, *item.in[0], i) - x_top, p = real_of(yv, *item.observed, i);
        if (d >= 0 || p_top <= half) continue;
        const double most = std::log((p + half) / (p_top - half)) / d;
        const double least = p > half ? std::log((p - half) / (p_top + half)) / d
                                      : std::numeric_limits<double>::infinity();
        intervals.push_back({std::min(most, least), std::max(most, least)});
      }
    }
  }
  return intervals;
}

std::vector<Params> candidates(const Site& site, const Evidence& evidence) {
  const NodeView n = site.view();
  std::vector<Params> sets = {{{"gamma", 0}}};
  const Fit fit = most_agreed(intervals_of(n, evidence));
  if (fit.agreeing > 0 && fit.high > 0) {
    std::vector<double> wishes = {0.5, 2, 0.25, 4, 0.125, 8};
    if (is_coded(n.input(0))) wishes.push_back(1 / n.input(0).quant.scale_at(0));
    const double low = std::max(fit.low, 1e-6);
    if (!(low <= 1 && fit.high >= 1)) sets.push_back({{"gamma", snap(low, fit.high, wishes)}});
    for (const double wish : wishes)
      if (wish >= low * 0.9 && wish <= fit.high * 1.1) sets.push_back({{"gamma", wish}});
  }
  return best_sets(site, evidence, std::move(sets), replay, 1);
}

std::vector<Params> fit(const Site&, const Evidence&, const Misfit& misfit) {
  const auto found = least_misfit(
      [&](double gamma) {
        return misfit({{"gamma", gamma}});
      },
      by_factors(0.02, 16, 24));
  const double wishes[] = {0.5, 2, 0.25, 4, 0.125, 8};
  if (!found) return {};
  return {{{"gamma", snap(found->low, found->high, wishes)}}};
}

}  // namespace

extern constinit const FaultDef fault_softmax_scale = {
    .name = "softmax-scale",
    .claim =
        "the softmax takes {gamma?0:none of its logits: all classes come out alike|:{gamma} "
        "times its logits}",
    .advice =
        "take the decision from the logits and drop the softmax from the int8 graph\n"
        "if all logits are equal, the cause lies before the softmax",
    .stage = Stage::node,
    .params = params,
    .applies = applies,
    .candidates = candidates,
    .replay = replay,
    .fit = fit,
};

}  // namespace lockstep
