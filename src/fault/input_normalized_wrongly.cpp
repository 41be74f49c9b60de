// x' = scale x + offset, for all channels or for each one: normalization is missing, done twice,
// with other means and deviations, counts 0..1 for 0..255, or the sign is turned.
#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numeric>

#include "fault/fault_colours.h"
#include "fault/fault_fit.h"
#include "fault/fault_input.h"
#include "fault/fault_nodes.h"
#include "fault/fault_search.h"

namespace lockstep {
namespace {

using Step = RealStep;

constexpr ParamSpec params[] = {
    {"scale", "factor of the real input", 255, Takes::real()},
    {"offset", "added to it", 0, Takes::real()},
    {"statistics",
     "of ImageNet's channels: 1: mean and deviation are not applied; 2: they are applied twice; 3: "
     "those of one half stand in their place; 4: they stand in the place of one half; 5: the means "
     "are not subtracted; 6: the deviations are not divided by; 7: they are applied to counts "
     "0..255; 8: they are those of the channels in reverse; 9: any, channel by channel "
     "(c<channel>.k, c<channel>.add)",
     0, Takes::up_to(9)},
};
constexpr double kEachChannel = 9;

// What a forgotten or doubled step leaves: [0,1] for [0,255], [-1,1] for either.
// Means and deviations of one half, or of a quarter, for all channels alike.
constexpr std::array<Step, 14> kSteps = {{{255, 0},
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
                                          {-1, 1},
                                          {-1, 0}}};

bool applies(const Site& site) {
  return site.input != no_id &&
         (is_float(site.graph().value(site.input).dtype) || input_coding(site).has_value());
}

double real_of(const std::optional<InputCoding>& coding, const Tensor& x, std::int64_t i) {
  return coding && !coding->is_float ? coding->real(x.code(i)) : x.number(i);
}

Step step_of_channel(const Params& p, std::int64_t c) {
  const auto which = static_cast<int>(param(params, p, "statistics"));
  if (which == 0) return {param(params, p, "scale"), param(params, p, "offset")};
  if (which != kEachChannel) return step_of_statistics(which, static_cast<std::size_t>(c));
  const std::string name = "c" + std::to_string(c);
  const auto k = p.find(name + ".k"), add = p.find(name + ".add");
  return {k == p.end() ? 1 : k->second, add == p.end() ? 0 : add->second};
}

// What float32 may be off by where a map of reals cancels: this share of the greatest value.
constexpr double kCancelled = 2.5e-7;

// Between which reals what the device had lies: a code, or a real that is known by its code only,
// stands for half a step around it, and at an end of the range for all beyond. Ties, which go
// either way, are kept away from first.
constexpr std::array kHalfSteps = {0.4999, 0.5001};
Strip strip_of(const std::optional<InputCoding>& coding, bool on_grid, double half_step, double x,
               const Tensor& had, std::int64_t i, double greatest) {
  constexpr double infinity = std::numeric_limits<double>::infinity();
  if (!on_grid) {  // float32, one rounding of what may cancel
    const double y = had.number(i), error = 2e-6 * std::fabs(y) + kCancelled * greatest + 1e-12;
    return {x, y - error, y + error};
  }
  const std::int64_t code = coding->code_of(had, i);
  const double y = coding->real(code), half = half_step * coding->scale;
  return {x, code <= coding->low() ? -infinity : y - half,
          code >= coding->high() ? infinity : y + half};
}

bool lies_on_grid(const std::optional<InputCoding>& coding, const Tensor& t) {
  if (!coding) return false;
  for (std::int64_t i = 0; coding->is_float && i < t.count(); ++i)
    if (t.number(i) != coding->real(coding->code_of(t, i))) return false;
  return true;
}

// Of one channel, or of all (-1); evenly drawn where they are many.
std::vector<Strip> strips_of(const Site& site, const Evidence& evidence, std::int64_t channel,
                             double half_step) {
  constexpr std::int64_t most = 1 << 16;
  const auto coding = input_coding(site);
  const ChannelLayout layout = channel_layout(site);
  std::int64_t total = 0;
  for (const Evidence::Item& item : evidence.items)
    if (item.observed) total += item.observed->count();
  std::int64_t step = total / most + 1;
  while (std::gcd(step, layout.count) != 1) ++step;  // else some channels are never drawn
  std::vector<Strip> strips;
  for (const Evidence::Item& item : evidence.items) {
    if (item.in.empty() || !item.in[0] || !item.observed ||
        item.observed->count() != item.in[0]->count())
      continue;
    const bool on_grid = lies_on_grid(coding, *item.observed);
    double greatest = 0;
    for (std::int64_t i = 0; !on_grid && i < item.observed->count(); ++i)
      greatest = std::max(greatest, std::fabs(item.observed->number(i)));
    for (std::int64_t i = 0; i < item.observed->count(); i += channel < 0 ? step : 1)
      if (channel < 0 || layout.of(i) == channel)
        strips.push_back(strip_of(coding, on_grid, half_step, real_of(coding, *item.in[0], i),
                                  *item.observed, i, greatest));
  }
  return strips;
}

Line line_of(const Site& site, const Evidence& evidence, std::int64_t channel, double half_step) {
  std::vector<double> scales;
  for (const Step& s : kSteps) scales.push_back(s.scale);
  if (channel >= 0) scales.insert(scales.begin(), 1);
  const std::array offsets = {0.0, -1.0, 1.0, 0.5, -0.5};
  return simplest_line(strips_of(site, evidence, channel, half_step), scales, offsets);
}

// The simplest line from what was sent to what the device had; where none is, one for each channel.
std::vector<Params> fitted(const Site& site, const Evidence& evidence) {
  constexpr std::int64_t most_channels = 16;
  if (std::ranges::none_of(evidence.items, [](const auto& item) { return item.observed; }))
    return {};
  std::vector<Params> sets;
  for (const double half : kHalfSteps)
    if (const Line line = line_of(site, evidence, -1, half); line.valid)
      sets.push_back({{"scale", line.slope}, {"offset", line.intercept}});
  if (!sets.empty()) return sets;
  const std::int64_t count = channel_layout(site).count;
  if (count < 2 || count > most_channels) return {};
  Params each = {{"statistics", kEachChannel}};
  for (std::int64_t c = 0; c < count; ++c) {
    Line own = line_of(site, evidence, c, kHalfSteps[0]);
    if (!own.valid) own = line_of(site, evidence, c, kHalfSteps[1]);
    if (!own.valid) return {};
    const std::string name = "c" + std::to_string(c);
    if (own.slope != 1) each[name + ".k"] = own.slope;
    if (own.intercept != 0) each[name + ".add"] = own.intercept;
  }
  return {each};
}

Result<void> replay(Replay& r) {
  const auto coding = input_coding(r.site);
  const double statistics = param(params, r.params, "statistics");
  const ChannelLayout layout = channel_layout(r.site);
  if (statistics > 0 && statistics != kEachChannel && !has_colours(layout))
    return Error{"fault input-normalized-wrongly", "statistics of three channels",
                 "an input of three channels", ""};
  std::vector<Step> steps;
  for (std::int64_t c = 0; c < (statistics == 0 ? 1 : layout.count); ++c)
    steps.push_back(step_of_channel(r.params, c));
  Tensor& x = r.out[0];
  for (std::int64_t i = 0; i < x.count(); ++i) {
    const Step& step = steps[steps.size() == 1 ? 0 : static_cast<std::size_t>(layout.of(i))];
    const double real = step.scale * real_of(coding, x, i) + step.offset;
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
  if (has_colours(channel_layout(site)))
    for (int which = 1; which < kEachChannel; ++which) sets.push_back({{"statistics", which}});
  const auto coding = input_coding(site);
  for (const Evidence::Item& item : evidence.items)
    if (item.observed && coding && !coding->is_float)
      return best_sets(site, evidence, std::move(sets), replay);
  // The device's input is not known, or its reals, which are known to half a step or to their last
  // bits: all that applications forget.
  return sets;
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
        "twice|3:the input is normalized with a mean and deviation of one half, not with those of "
        "ImageNet's channels|4:the input is normalized with the mean and deviation of ImageNet's "
        "channels, not with one half|5:the means of ImageNet's channels are not subtracted from "
        "the input|6:the input is not divided by the deviations of ImageNet's channels|7:the mean "
        "and deviation of ImageNet's channels are applied to the input as it is in 0..255|8:the "
        "input is normalized with the mean and deviation of ImageNet's channels in reverse "
        "order|9:each channel of the input is normalized with another mean and "
        "deviation|:{scale?-1:{offset?0:the sign of the input is turned|1:the input is turned "
        "around, 1 minus the value|:the input is normalized wrongly, {offset} minus the "
        "value}|1:the input is normalized wrongly: {offset} is added to every value"
        "|:the input is normalized wrongly: {scale} times the value{offset?0:|<0: minus "
        "{-offset}|: plus {offset}}}}",
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
