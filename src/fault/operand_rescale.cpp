// y' = requant(s_a (a - z_a) k_1 + s_b (b - z_b) k_2): one operand of a sum enters at k times its factor.
#include <algorithm>
#include <cmath>

#include "fault/fault_elements.h"
#include "fault/fault_eval.h"
#include "fault/fault_fit.h"
#include "fault/fault_search.h"

namespace lockstep {
namespace {

constexpr ParamSpec params[] = {
    {"operand", "which operand: 1 or 2", 2},
    {"k", "the factor at which it enters", 0.5},
};

bool applies(const Site& site) {
  if (site.node == no_id) return false;
  const NodeView n = site.view();
  return (n.node.op == "Add" || n.node.op == "Sub") && n.has_input(0) && n.has_input(1) &&
         (is_float(n.output(0).dtype) || (code_scale(n.input(0)) && code_scale(n.input(1)) && code_scale(n.output(0))));
}

// The real contribution of an operand to output element i, in steps of the output.
struct Operand {
  Operand(const NodeView& n, std::size_t which)
      : broadcast(n.input(which).shape, n.output(0).shape), scale(code_scale(n.input(which))), index(which) {}
  double real(const Evidence::Item& item, std::int64_t i) const {
    const Tensor& x = *item.in[index];
    const std::int64_t at = broadcast.at(i);
    return scale ? scale->scale * static_cast<double>(x.code(at) - scale->zero) : x.number(at);
  }
  Broadcast broadcast;
  std::optional<CodeScale> scale;
  std::size_t index;
};

bool complete(const Evidence::Item& item) { return item.in.size() >= 2 && item.in[0] && item.in[1]; }

// For every element the factors of `operand` that make it what is observed.
std::vector<Interval> intervals_of(const NodeView& n, const Evidence& evidence, std::size_t operand) {
  const Operand a(n, 0), b(n, 1);
  const double sign = n.node.op == "Sub" ? -1 : 1;
  const auto out = output_scale(n);
  std::vector<Interval> intervals;
  for_elements(evidence, 1 << 17, [&](const Evidence::Item& item, std::int64_t i) {
    if (!complete(item)) return;
    const double terms[] = {a.real(item, i), sign * b.real(item, i)};
    const double slope = terms[operand], rest = terms[1 - operand];
    Interval interval;
    if (out) {
      const Linear e{slope / out->scale, rest / out->scale + static_cast<double>(out->zero), item.observed->code(i),
                     out->low, out->high};
      if (interval_for(e, 0.01, interval)) intervals.push_back(interval);
    } else if (slope != 0) {
      const double y = item.observed->number(i), error = 1e-6 * (std::fabs(y) + std::fabs(rest));
      const double from = (y - rest - error) / slope, to = (y - rest + error) / slope;
      intervals.push_back({std::min(from, to), std::max(from, to)});
    }
  });
  return intervals;
}

// Factors that a device has a reason for: powers of two, the other operand's scale, no rescaling at
// all, a multiplier clipped to 1 or taken modulo 1 or 2.
std::vector<double> meaningful(const NodeView& n, std::size_t operand) {
  std::vector<double> wishes = {0.5, 2, 0.25, 4, 0.125, 8, 0.0625, 16};
  const auto own = code_scale(n.input(operand)), other = code_scale(n.input(1 - operand)), out = code_scale(n.output(0));
  if (own && other && out) {
    const double factor = own->scale / out->scale;
    wishes.insert(wishes.end(), {other->scale / own->scale, 1 / factor, std::fmod(factor, 2) / factor,
                                 std::fmod(factor, 1) / factor, other->scale / out->scale});
  }
  return wishes;
}

std::vector<Params> candidates(const Site& site, const Evidence& evidence) {
  const NodeView n = site.view();
  std::vector<Params> sets;
  const bool seen = std::ranges::any_of(evidence.items, [](const Evidence::Item& i) { return i.observed; });
  for (std::size_t operand = 0; operand < 2; ++operand) {
    if (!seen) {  // nothing to fit: what a device has a reason for
      for (const double k : meaningful(n, operand))
        if (k > 0 && k != 1) sets.push_back({{"operand", static_cast<double>(operand + 1)}, {"k", k}});
      continue;
    }
    const Fit fit = most_agreed(intervals_of(n, evidence, operand));
    if (fit.agreeing == 0 || fit.agreeing < fit.elements / 2) continue;
    if ((fit.low <= 1 && fit.high >= 1) || fit.middle() <= 1e-3) continue;  // not rescaled; lost altogether
    const double k = snap(fit.low, fit.high, meaningful(n, operand));
    const auto number = static_cast<double>(operand + 1);
    sets.push_back({{"operand", number}, {"k", k}});
    if (k != fit.middle()) sets.push_back({{"operand", number}, {"k", fit.middle()}});
  }
  return sets;
}

std::vector<Params> fit(const Site& site, const Evidence&, const Misfit& misfit) {
  std::vector<Params> sets;
  for (std::size_t operand = 0; operand < 2; ++operand) {
    const auto number = static_cast<double>(operand + 1);
    const auto grid = by_factors(0.05, 8, 24);
    const auto found = least_misfit([&](double k) { return misfit({{"operand", number}, {"k", k}}); }, grid);
    if (!found) continue;
    const double k = snap(found->low, found->high, meaningful(site.view(), operand));
    sets.push_back({{"operand", number}, {"k", k}});
  }
  return sets;
}

Result<void> replay(Replay& r) {
  const double k = param(params, r.params, "k");
  const double number = param(params, r.params, "operand");
  if (number != 1 && number != 2)
    return Error{"fault operand-rescale", "operand " + std::to_string(number), "1 or 2", ""};
  const std::size_t operand = number == 1 ? 0 : 1;
  ChangedNode node(r);
  Value& value = node.input(operand);
  if (value.quant.quantized() && !is_float(value.dtype)) {
    if (!(k > 0)) return Error{"fault operand-rescale", "k=" + std::to_string(k), "a factor above 0", ""};
    for (double& scale : value.quant.scale) scale *= k;
  } else {
    Tensor& x = node.changed(operand);
    for (std::int64_t i = 0; i < x.count(); ++i) x.set_number(i, x.number(i) * k);
  }
  return node.eval_into(r);
}

}  // namespace

extern constinit const FaultDef fault_operand_rescale = {
    .name = "operand-rescale",
    .claim = "operand {operand} enters at {k} of its factor",
    .advice = "run this operation on the CPU, and compare\n"
              "give both operands one scale (share one quantizer), or a larger output scale",
    .stage = Stage::node,
    .scope = Scope::unequal_scales,
    .params = params,
    .applies = applies,
    .candidates = candidates,
    .replay = replay,
    .fit = fit,
};

}  // namespace lockstep
