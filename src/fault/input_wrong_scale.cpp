// code' = sat(round(x / scale) + zero) with another scale or zero point than the input's own.
#include <array>
#include <cmath>

#include "fault/fault_fit.h"
#include "fault/fault_input.h"
#include "fault/fault_search.h"

namespace lockstep {
namespace {

constexpr ParamSpec params[] = {
    {"scale", "the scale that the application quantizes with", 0.0078125, Takes::real()},
    {"zero", "its zero point", 0},
};

bool applies(const Site& site) {
  return site.input != no_id && input_coding(site).has_value();
}

std::int64_t foreign_code(const InputCoding& own, double real, double scale, double zero) {
  InputCoding other = own;
  other.scale = scale;
  other.zero = static_cast<std::int32_t>(zero);
  return other.quantize(real);
}

double sent_real(const InputCoding& coding, const Tensor& x, std::int64_t i) {
  return coding.is_float ? x.number(i) : coding.real(x.code(i));
}

// Factor and zero point from the codes that the device had.
std::vector<Params> fitted(const InputCoding& coding, const Evidence& evidence) {
  std::vector<double> x, y;
  for (const Evidence::Item& item : evidence.items) {
    if (item.in.empty() || !item.in[0] || !item.observed ||
        item.observed->count() != item.in[0]->count())
      continue;
    for (std::int64_t i = 0; i < item.observed->count(); ++i) {
      const std::int64_t code = coding.code_of(*item.observed, i);
      if (code == coding.low() || code == coding.high()) continue;
      x.push_back(sent_real(coding, *item.in[0], i));
      y.push_back(static_cast<double>(code));
    }
  }
  if (x.size() < 8) return {};
  const Line line = fit_line(x, y);
  if (!line.valid || line.slope <= 0 || line.spread > 0.6) return {};
  const double zero = std::nearbyint(line.intercept) + 0.0;  // no negative zero
  std::vector<Interval> intervals;
  for (std::size_t i = 0; i < x.size(); ++i) {
    Interval interval;
    const Linear e{x[i], zero, static_cast<std::int64_t>(y[i]), coding.low(), coding.high()};
    if (interval_for(e, 1e-3, interval)) intervals.push_back(interval);
  }
  const Fit fit = most_agreed(intervals);
  if (fit.agreeing * 2 < fit.elements || fit.low <= 0) return {};
  const std::array wishes = {coding.scale, 1 / 255.0, 1 / 256.0, 1 / 128.0,
                             1 / 127.0,    1 / 127.5, 1.0};
  const double scale = snap(1 / fit.high, 1 / fit.low, wishes);
  if (scale == coding.scale && zero == coding.zero) return {};
  return {{{"scale", scale}, {"zero", zero}}};
}

std::vector<Params> candidates(const Site& site, const Evidence& evidence) {
  const InputCoding coding = *input_coding(site);
  for (const Evidence::Item& item : evidence.items)
    if (item.observed) return fitted(coding, evidence);
  std::vector<Params> sets;  // without the device's input: the scales that applications assume
  for (const double scale : {coding.scale, 1 / 255.0, 1 / 256.0, 1 / 128.0, 1 / 127.0, 1 / 127.5})
    for (const double zero : {static_cast<double>(coding.zero), 0.0, -128.0, 128.0})
      if ((scale != coding.scale || zero != coding.zero) &&
          zero >= static_cast<double>(coding.low()) && zero <= static_cast<double>(coding.high()))
        sets.push_back({{"scale", scale}, {"zero", zero}});
  return sets;
}

// Scale and zero point in turn, from the zero points that applications assume.
std::vector<Params> fit(const Site& site, const Evidence&, const Misfit& misfit) {
  const InputCoding coding = *input_coding(site);
  std::vector<Params> sets;
  double least = 0;
  for (const double start : {static_cast<double>(coding.zero), 0.0, -128.0, 128.0}) {
    if (start < static_cast<double>(coding.low()) || start > static_cast<double>(coding.high()))
      continue;
    double zero = start, scale = coding.scale, reached = 0;
    for (int turn = 0; turn < 3; ++turn) {
      const double middle = turn == 0 ? coding.scale : scale, width = turn == 0 ? 4 : 1.2;
      const auto by_scale = least_misfit(
          [&](double s) {
            return misfit({{"scale", s}, {"zero", zero}});
          },
          by_factors(middle / width, middle * width, turn == 0 ? 17 : 7));
      if (!by_scale) return sets;
      const double wishes[] = {coding.scale, 1 / 255.0, 1 / 256.0, 1 / 128.0,
                               1 / 127.0,    1 / 127.5, 1.0};
      scale = snap(by_scale->low, by_scale->high, wishes);
      reached = by_scale->misfit;
      if (reached == 0) break;
      const auto by_zero = least_misfit(
          [&](std::int64_t z) {
            return misfit({{"scale", scale}, {"zero", static_cast<double>(z)}});
          },
          std::max(coding.low(), static_cast<std::int64_t>(zero) - 32),
          std::min(coding.high(), static_cast<std::int64_t>(zero) + 32));
      if (!by_zero) return sets;
      zero = by_zero->low;
      reached = by_zero->misfit;
      if (reached == 0) break;
    }
    if (!sets.empty() && reached >= least) continue;
    least = reached;
    sets = {{{"scale", scale}, {"zero", zero}}};
    if (least == 0) break;
  }
  return sets;
}

Result<void> replay(Replay& r) {
  const InputCoding coding = *input_coding(r.site);
  const double scale = param(params, r.params, "scale"), zero = param(params, r.params, "zero");
  if (!(scale > 0))
    return Error{"fault input-wrong-scale", "scale " + std::to_string(scale), "a scale above 0",
                 ""};
  Tensor& x = r.out[0];
  for (std::int64_t i = 0; i < x.count(); ++i)
    coding.set_code(x, i, foreign_code(coding, sent_real(coding, x, i), scale, zero));
  return {};
}

}  // namespace

extern constinit const FaultDef fault_input_wrong_scale = {
    .name = "input-wrong-scale",
    .claim = "the input is quantized with scale {scale} and zero point {zero} instead of its own",
    .advice =
        "read scale and zero point of the input from the target, not from a report on the PC\n"
        "do not rescale each sample by its own minimum and maximum",
    .stage = Stage::input,
    .params = params,
    .applies = applies,
    .candidates = candidates,
    .replay = replay,
    .fit = fit,
};

}  // namespace lockstep
