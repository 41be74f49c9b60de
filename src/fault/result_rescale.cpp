// y' = clamp(round(k real / s_y) + z_y): the result is brought to its scale by a wrong factor.
#include <algorithm>
#include <array>
#include <cmath>

#include "fault/fault_elements.h"
#include "fault/fault_eval.h"
#include "fault/fault_nodes.h"
#include "fault/fault_search.h"

namespace lockstep {
namespace {

constexpr ParamSpec params[] = {{"k", "factor", 0.5}};
constexpr std::array<std::string_view, 9> kOps = {
    "Conv",          "Gemm", "MatMul", "Add", "Sub", "Mul", "AveragePool", "GlobalAveragePool",
    "QuantizeLinear"};
constexpr double kWishes[] = {0.5, 2,           0.25,        4,           0.125,
                              8,   128.0 / 127, 127.0 / 128, 256.0 / 255, 255.0 / 256};

bool applies(const Site& site) {
  if (site.node == no_id || site.view().node.outputs[0] == no_id) return false;
  const NodeView n = site.view();
  return is_coded(n.output(0)) && !n.output(0).quant.per_channel() &&
         std::ranges::find(kOps, n.node.op) != kOps.end();
}

Result<void> replay(Replay& r) {
  const double k = param(params, r.params, "k");
  if (!(k > 0))
    return Error{"fault result-rescale", "k=" + std::to_string(k), "a factor above 0", ""};
  if (r.site.view().node.op == "QuantizeLinear") {
    ChangedNode node(r);
    Tensor& x = node.changed(0);
    for (std::int64_t i = 0; i < x.count(); ++i) x.set_number(i, x.number(i) * k);
    return node.eval_into(r);
  }
  ChangedNode node(r);
  for (double& scale : node.output().quant.scale) scale /= k;
  return node.eval_into(r);
}

// Each unsaturated code says between which factors it can have come to be; the code as expected is
// right to half a step.
std::vector<Params> candidates(const Site& site, const Evidence& evidence) {
  const auto range = output_scale(site.view());
  if (!range) return {};
  std::vector<Interval> intervals;
  for_elements(evidence, 1 << 15, [&](const Evidence::Item& item, std::int64_t i) {
    const std::int64_t was = item.expected->code(i), is = item.observed->code(i);
    if (was <= range->low || was >= range->high || is <= range->low || is >= range->high) return;
    const auto x = static_cast<double>(was - range->zero),
               y = static_cast<double>(is - range->zero);
    if (std::abs(x) < 8 || x * y <= 0) return;
    const double a = std::abs(x), b = std::abs(y);
    intervals.push_back({(b - 0.55) / (a + 0.55), (b + 0.55) / (a - 0.55)});
  });
  if (intervals.size() < 4) return {};
  const Fit fit = most_agreed(intervals);
  if (fit.agreeing * 10 < fit.elements * 8 || !(fit.low > 0) || !std::isfinite(fit.high)) return {};
  std::vector<Params> sets;
  for (const double wish : kWishes)
    if (wish >= fit.low * 0.99 && wish <= fit.high * 1.01) sets.push_back({{"k", wish}});
  sets.push_back({{"k", snap(fit.low, fit.high, {})}});
  for (int step = 0; step <= 8; ++step)
    sets.push_back({{"k", fit.low + (fit.high - fit.low) * step / 8}});
  return best_sets(site, evidence, std::move(sets), replay, 1);
}

std::vector<Params> fit(const Site&, const Evidence&, const Misfit& misfit) {
  const auto found = least_misfit(
      [&](double k) {
        return misfit({{"k", k}});
      },
      by_factors(0.05, 8, 32));
  if (!found) return {};
  return {{{"k", snap(found->low, found->high, kWishes)}}};
}

}  // namespace

extern constinit const FaultDef fault_result_rescale = {
    .name = "result-rescale",
    .claim = "the result comes out at {k} of its factor",
    .advice =
        "compare the output scale, multiplier and shift of this operation in the compiled program "
        "with the model's\n"
        "compile again from this very model file: a scale of another version gives the same "
        "picture",
    .stage = Stage::node,
    .scope = Scope::this_node,
    .params = params,
    .applies = applies,
    .candidates = candidates,
    .replay = replay,
    .fit = fit,
};

}  // namespace lockstep
