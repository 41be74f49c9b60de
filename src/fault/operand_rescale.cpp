// y' = requant(s_a (a - z_a) k_1 + s_b (b - z_b) k_2): one operand of a sum, or of a Concat, enters
// at k times its factor.
#include <algorithm>
#include <cmath>

#include "fault/fault_elements.h"
#include "fault/fault_eval.h"
#include "fault/fault_fit.h"
#include "fault/fault_search.h"

namespace lockstep {
namespace {

constexpr ParamSpec params[] = {
    {"operand", "which operand, counted from 1", 2},
    {"k", "the factor at which it enters", 0.5, Takes::real()},
};

bool scaled(const NodeView& n, std::size_t operand) {
  return n.has_input(operand) && (is_float(n.output(0).dtype) || code_scale(n.input(operand)));
}

bool applies(const Site& site) {
  if (site.node == no_id) return false;
  const NodeView n = site.view();
  const bool sum = (n.node.op == "Add" || n.node.op == "Sub") && n.input_count() == 2;
  if (!sum && (n.node.op != "Concat" || n.input_count() < 2)) return false;
  for (std::size_t i = 0; i < n.input_count(); ++i)
    if (!scaled(n, i)) return false;
  return is_float(n.output(0).dtype) || code_scale(n.output(0));
}

// The real contribution of an operand to output element i.
struct Operand {
  Operand(const NodeView& n, std::size_t which)
      : scale(code_scale(n.input(which))),
        index(which),
        sign(n.node.op == "Sub" && which == 1 ? -1 : 1) {
    if (n.node.op == "Concat")
      joined(n);
    else
      broadcast.emplace(n.input(which).shape, n.output(0).shape);
  }
  double real(const Evidence::Item& item, std::int64_t i) const {
    const std::int64_t at = broadcast ? broadcast->at(i) : i / row * width + i % row - before;
    if (!broadcast && (i % row < before || i % row >= before + width)) return 0;
    const Tensor& x = *item.in[index];
    return sign *
           (scale ? scale->scale * static_cast<double>(x.code(at) - scale->zero) : x.number(at));
  }

 private:
  // The operand's run of elements within a row of the joined axis.
  void joined(const NodeView& n) {
    const Shape& shape = n.output(0).shape;
    const auto rank = static_cast<std::int64_t>(shape.size());
    std::int64_t axis = n.node.attrs.integer("axis", 0);
    if (axis < 0) axis += rank;
    std::int64_t inner = 1;
    for (auto d = static_cast<std::size_t>(axis) + 1; d < shape.size(); ++d) inner *= shape[d];
    const auto extent = [&](const Shape& s) { return s[static_cast<std::size_t>(axis)] * inner; };
    for (std::size_t k = 0; k < index; ++k) before += extent(n.input(k).shape);
    row = extent(shape), width = extent(n.input(index).shape);
  }

  std::optional<Broadcast> broadcast;
  std::optional<CodeScale> scale;
  std::size_t index;
  double sign;
  std::int64_t row = 1, before = 0, width = 1;
};

// For every element the factors of `operand` that make it what is observed.
std::vector<Interval> intervals_of(const NodeView& n, const Evidence& evidence,
                                   std::size_t operand) {
  std::vector<Operand> operands;
  for (std::size_t k = 0; k < n.input_count(); ++k) operands.emplace_back(n, k);
  const auto out = output_scale(n);
  std::vector<Interval> intervals;
  for_elements(evidence, 1 << 17, [&](const Evidence::Item& item, std::int64_t i) {
    if (item.in.size() < operands.size()) return;
    for (std::size_t k = 0; k < operands.size(); ++k)
      if (!item.in[k]) return;
    double rest = 0;
    for (std::size_t k = 0; k < operands.size(); ++k)
      if (k != operand) rest += operands[k].real(item, i);
    const double slope = operands[operand].real(item, i);
    Interval interval;
    if (out) {
      const Linear e{slope / out->scale, rest / out->scale + static_cast<double>(out->zero),
                     item.observed->code(i), out->low, out->high};
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
  const auto own = operand_scale(n, operand), other = operand_scale(n, operand == 0 ? 1 : 0),
             out = result_scale(n);
  if (own && other && out) {
    const double factor = own->scale / out->scale;
    wishes.insert(wishes.end(),
                  {other->scale / own->scale, 1 / factor, std::fmod(factor, 2) / factor,
                   std::fmod(factor, 1) / factor, other->scale / out->scale});
  }
  return wishes;
}

std::vector<Params> candidates(const Site& site, const Evidence& evidence) {
  const NodeView n = site.view();
  std::vector<Params> sets;
  const bool seen =
      std::ranges::any_of(evidence.items, [](const Evidence::Item& i) { return i.observed; });
  for (std::size_t operand = 0; operand < n.input_count(); ++operand) {
    if (!seen) {  // nothing to fit: what a device has a reason for
      for (const double k : meaningful(n, operand))
        if (k > 0 && k != 1)
          sets.push_back({{"operand", static_cast<double>(operand + 1)}, {"k", k}});
      continue;
    }
    const Fit fit = most_agreed(intervals_of(n, evidence, operand));
    if (fit.agreeing == 0 || fit.agreeing < fit.elements / 2) continue;
    if ((fit.low <= 1 && fit.high >= 1) || fit.middle() <= 1e-3)
      continue;  // not rescaled; lost altogether
    const double k = snap(fit.low, fit.high, meaningful(n, operand));
    const auto number = static_cast<double>(operand + 1);
    sets.push_back({{"operand", number}, {"k", k}});
    if (k != fit.middle()) sets.push_back({{"operand", number}, {"k", fit.middle()}});
  }
  return sets;
}

std::vector<Params> fit(const Site& site, const Evidence&, const Misfit& misfit) {
  std::vector<Params> sets;
  for (std::size_t operand = 0; operand < site.view().input_count(); ++operand) {
    const auto number = static_cast<double>(operand + 1);
    const auto grid = by_factors(0.05, 8, 24);
    const auto found = least_misfit(
        [&](double k) {
          return misfit({{"operand", number}, {"k", k}});
        },
        grid);
    if (!found) continue;
    const double k = snap(found->low, found->high, meaningful(site.view(), operand));
    sets.push_back({{"operand", number}, {"k", k}});
  }
  return sets;
}

Result<void> replay(Replay& r) {
  const double k = param(params, r.params, "k");
  const double number = param(params, r.params, "operand");
  ChangedNode node(r);
  const auto count = static_cast<double>(node.input_count());
  if (!(number >= 1 && number <= count) || number != std::floor(number))
    return Error{"fault operand-rescale", "operand " + std::to_string(number),
                 "1 to " + std::to_string(node.input_count()), ""};
  const auto operand = static_cast<std::size_t>(number) - 1;
  Value& value = node.input(operand);
  if (value.quant.quantized() && !is_float(value.dtype)) {
    if (!(k > 0))
      return Error{"fault operand-rescale", "k=" + std::to_string(k), "a factor above 0", ""};
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
    .advice =
        "run this operation on the CPU, and compare\n"
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
