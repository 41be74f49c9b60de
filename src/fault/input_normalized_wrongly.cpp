// x' = scale x + offset (or per channel with the usual picture statistics): normalization is
// missing, done twice, or counts 0..1 for 0..255.
#include <array>
#include <cmath>

#include "fault/fault_fit.h"
#include "fault/fault_input.h"
#include "fault/fault_nodes.h"
#include "fault/fault_search.h"

namespace lockstep {
namespace {

constexpr ParamSpec params[] = {
    {"scale", "factor of the real input", 255},
    {"offset", "added to it", 0},
    {"statistics",
     "1: mean and deviation of ImageNet's channels are not applied; 2: they are applied twice", 0},
};
constexpr std::array<double, 3> kMean = {0.485, 0.456, 0.406}, kDeviation = {0.229, 0.224, 0.225};

// Affine maps that a forgotten or doubled step leaves: [0,1] for [0,255], [-1,1] for either.
struct Step {
  double scale, offset;
};
// Means and deviations of one half, or of a quarter, for all channels alike.
constexpr std::array<Step, 13> kSteps = {{{255, 0},
                                          {1 / 255.0, 0},
                                          {127.5, 127.5},
                                          {1 / 127.5, -1},
                                          {2, -1},
                                          {0.5, 0.5},
                                          {128, 0},
                                          {1 / 128.0, 0},
                                          {4, -2},
                                          {0.25, 0.5},
                                          {1, -0.5},
                                          {1, 0.5},
                                          {-1, 1}}};

std::int64_t channels(const Site& site) {
  const Shape& shape = site.graph().value(site.input).shape;
  return shape.size() < 3 ? 1 : channels_last(site) ? shape.back() : shape[1];
}

std::int64_t channel_of(const Site& site, std::int64_t i) {
  const Shape& shape = site.graph().value(site.input).shape;
  if (channels_last(site)) return i % shape.back();
  return i / count_of({shape.begin() + 2, shape.end()}) % shape[1];
}

bool applies(const Site& site) {
  return site.input != no_id &&
         (is_float(site.graph().value(site.input).dtype) || input_coding(site).has_value());
}

double real_of(const std::optional<InputCoding>& coding, const Tensor& x, std::int64_t i) {
  return coding && !coding->is_float ? coding->real(x.code(i)) : x.number(i);
}

// The line through what was sent and what the device had, snapped to a known step.
std::vector<Params> fitted(const Site& site, const Evidence& evidence) {
  const auto coding = input_coding(site);
  std::vector<double> x, y;
  for (const Evidence::Item& item : evidence.items) {
    if (item.in.empty() || !item.in[0] || !item.observed ||
        item.observed->count() != item.in[0]->count())
      continue;
    for (std::int64_t i = 0; i < item.observed->count(); ++i) {
      if (coding && !coding->is_float) {
        const std::int64_t code = item.observed->code(i);
        if (code == coding->low() || code == coding->high()) continue;
      }
      x.push_back(real_of(coding, *item.in[0], i));
      y.push_back(real_of(coding, *item.observed, i));
    }
  }
  if (x.size() < 8) return {};
  const Line line = fit_line(x, y);
  if (!line.valid) return {};
  const double step = coding ? coding->scale : 0;
  if (line.spread > std::max(1e-5 * (std::fabs(line.slope) + std::fabs(line.intercept)), step))
    return {};
  for (const Step& s : kSteps)
    if (std::fabs(line.slope / s.scale - 1) < 0.01 &&
        std::fabs(line.intercept - s.offset) < 0.02 * std::fabs(s.scale) + step)
      return {{{"scale", s.scale}, {"offset", s.offset}}};
  const double tolerance = 1e-4 * std::fabs(line.slope);
  return {
      {{"scale", snap(line.slope - tolerance, line.slope + tolerance, {})},
       {"offset", snap(line.intercept - tolerance, line.intercept + tolerance, std::array{0.0})}}};
}

Result<void> replay(Replay& r) {
  const auto coding = input_coding(r.site);
  const double scale = param(params, r.params, "scale"), offset = param(params, r.params, "offset");
  const double statistics = param(params, r.params, "statistics");
  if (statistics != 0 && channels(r.site) != 3)
    return Error{"fault input-normalized-wrongly", "statistics of three channels",
                 "an input of three channels", ""};
  Tensor& x = r.out[0];
  for (std::int64_t i = 0; i < x.count(); ++i) {
    double real = real_of(coding, x, i);
    if (statistics != 0) {
      const auto c = static_cast<std::size_t>(channel_of(r.site, i));
      real = statistics == 1 ? real * kDeviation[c] + kMean[c] : (real - kMean[c]) / kDeviation[c];
    } else {
      real = scale * real + offset;
    }
    if (coding && !coding->is_float)
      x.set_code(i, coding->quantize(real));
    else
      x.set_number(i, real);
  }
  return {};
}

std::vector<Params> candidates(const Site& site, const Evidence& evidence) {
  std::vector<Params> sets = fitted(site, evidence);
  for (const Step& s : kSteps) sets.push_back({{"scale", s.scale}, {"offset", s.offset}});
  if (channels(site) == 3)
    for (const double statistics : {1.0, 2.0}) sets.push_back({{"statistics", statistics}});
  const auto coding = input_coding(site);
  for (const Evidence::Item& item : evidence.items)  // reals may be known to half a step only
    if (item.observed && !(coding && coding->is_float))
      return best_sets(site, evidence, std::move(sets), replay);
  return sets;  // the device's input is not known: all that applications forget
}

double rounded(double x, int digits) {
  if (x == 0) return 0;
  const double unit = std::pow(10, std::floor(std::log10(std::fabs(x))) + 1 - digits);
  return std::nearbyint(x / unit) * unit;
}

std::vector<Params> fit(const Site& site, const Evidence& evidence, const Misfit& misfit) {
  const auto coding = input_coding(site);
  double n = 0, sum = 0, squares = 0;
  for (const Evidence::Item& item : evidence.items)
    for (std::int64_t i = 0; item.in[0] && i < item.in[0]->count(); ++i) {
      const double x = real_of(coding, *item.in[0], i);
      n += 1, sum += x, squares += x * x;
    }
  if (n == 0) return {};
  const double middle = sum / n, spread = std::sqrt(std::max(0.0, squares / n - middle * middle));
  const auto found = least_affine(
      [&](double slope, double level) {
        return misfit({{"scale", slope}, {"offset", level - slope * middle}});
      },
      middle, spread);
  if (!found) return {};
  const double offset = found->level - found->slope * middle;
  for (int digits = 1; digits <= 6 && found->misfit == 0; ++digits) {
    const Params shorter = {{"scale", rounded(found->slope, digits)},
                            {"offset", rounded(offset, digits)}};
    if (misfit(shorter) == 0) return {shorter};
  }
  return {{{"scale", found->slope}, {"offset", offset}}};
}

}  // namespace

extern constinit const FaultDef fault_input_normalized_wrongly = {
    .name = "input-normalized-wrongly",
    .claim =
        "{statistics?1:the mean and deviation of ImageNet's channels are not applied to the "
        "input|2:the mean and deviation of ImageNet's channels are applied to the input "
        "twice|:the input is normalized wrongly: {scale} times the value{offset?0:|<0: minus "
        "{-offset}|: plus {offset}}}",
    .advice =
        "dump the features on the device for a stored sample and compare them before any model "
        "runs\n"
        "mean and deviation belong either in the model or in the application, not in both and not "
        "in none",
    .stage = Stage::input,
    .params = params,
    .applies = applies,
    .candidates = candidates,
    .replay = replay,
    .fit = fit,
};

}  // namespace lockstep
