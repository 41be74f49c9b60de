// acc' = sum + bias': the bias is absent, its words are in another byte order or place, cut to 16
// bits, added twice, or k of it.
#include <algorithm>
#include <cmath>
#include <limits>

#include "fault/fault_elements.h"
#include "fault/fault_fit.h"
#include "fault/fault_weights.h"

namespace lockstep {
namespace {

constexpr ParamSpec params[] = {
    {"how",
     "0: it is absent; 1: its bytes are reversed; 2: only its low 16 bits are kept; 3: it is added "
     "twice; 4: it is read `by` channels off; 5: it is absent in channel `by` alone; 6: `k` times "
     "it is added",
     0, Takes::up_to(6)},
    {"by", "channels by which it is read too late (negative: too early)", 1},
    {"around", "beyond its end: 0: zeros; 1: it begins again", 0, Takes::flag()},
    {"k", "its factor, for how=6", 0.5, Takes::real()},
};

bool applies(const Site& site) {
  if (!has_weights(site) || !site.view().has_input(kBias)) return false;
  const Tensor* bias = site.view().constant(kBias);
  return bias && size_of(bias->dtype()) == 4 && !is_float(bias->dtype());
}

std::int64_t scaled(std::int64_t bias, double k) {
  constexpr double low = std::numeric_limits<std::int32_t>::min(),
                   high = std::numeric_limits<std::int32_t>::max();
  return static_cast<std::int64_t>(
      std::clamp(std::nearbyint(k * static_cast<double>(bias)), low, high));
}

Result<void> replay(Replay& r) {
  const double how = param(params, r.params, "how");
  if (how != 0 && how != 1 && how != 2 && how != 3 && how != 4 && how != 5 && how != 6)
    return Error{"fault bias-misread", "how=" + std::to_string(how), "0 .. 6", ""};
  const double k = param(params, r.params, "k");
  ChangedNode node(r);
  Tensor& bias = node.changed(kBias);
  const Tensor own = bias;
  const bool around = param(params, r.params, "around") != 0;
  const std::int64_t n = own.count(), by = static_cast<std::int64_t>(param(params, r.params, "by"));
  if (how == 1) swap_bytes(bias, 4);
  for (std::int64_t i = 0; i < n; ++i) {
    if (how == 0)
      bias.set_code(i, 0);
    else if (how == 6)
      bias.set_code(i, scaled(own.code(i), k));
    else if (how == 5)
      bias.set_code(i, i == by ? 0 : own.code(i));
    else if (how == 2)
      bias.set_code(i, static_cast<std::int16_t>(own.code(i)));
    else if (how == 3)
      bias.set_code(i, 2 * own.code(i));
    else if (how == 4)
      bias.set_code(i, around                      ? own.code(((i + by) % n + n) % n)
                       : i + by >= 0 && i + by < n ? own.code(i + by)
                                                   : 0);
  }
  return node.eval_into(r);
}

// The one output channel in which all differing elements lie; -1 where there are none, or in
// several.
std::int64_t only_channel(const Site& site, const Evidence& evidence) {
  const Shape& y = site.view().output(0).shape;
  const std::size_t axis = channel_axis(site.view(), y);
  std::int64_t found = -1;
  for (const Evidence::Item& item : evidence.items) {
    if (!item.observed || !item.expected) continue;
    for (std::int64_t i = 0; i < item.observed->count(); ++i) {
      if (item.observed->number(i) == item.expected->number(i)) continue;
      const std::int64_t channel = index_along(y, axis, i);
      if (found >= 0 && found != channel) return -1;
      found = channel;
    }
  }
  return found;
}

// The factors of the bias that most elements agree on: each code lies as far from the right one as
// k - 1 times its channel's bias does, both rounded.
Fit factor(const Site& site, const Evidence& evidence) {
  constexpr double rounded = 1.02, least_bias = 0.5;  // in codes
  const NodeView n = site.view();
  const auto range = output_scale(n), x = code_scale(n.input(0));
  const Tensor* bias = n.constant(kBias);
  if (!is_coded_sum(site) || !range || !x || bias->count() != weight_channels(n)) return {};
  const std::size_t axis = channel_axis(n, n.output(0).shape);
  std::vector<Interval> intervals;
  for_elements(evidence, 16384, [&](const Evidence::Item& item, std::int64_t i) {
    const std::int64_t was = item.expected->code(i), is = item.observed->code(i),
                       c = index_along(n.output(0).shape, axis, i);
    if (c >= bias->count() || was <= range->low || was >= range->high || is <= range->low ||
        is >= range->high)
      return;
    const double scale = n.input(kWeights).quant.scale_at(
        n.input(kWeights).quant.per_channel() ? static_cast<std::size_t>(c) : 0);
    const double codes = static_cast<double>(bias->code(c)) * x->scale * scale / range->scale;
    if (std::fabs(codes) < least_bias) return;
    const double from = 1 + (static_cast<double>(is - was) - rounded) / codes,
                 to = 1 + (static_cast<double>(is - was) + rounded) / codes;
    intervals.push_back({std::min(from, to), std::max(from, to)});
  });
  return most_agreed(intervals);
}

// The simplest factor that most elements agree on, and others across the interval.
std::vector<double> factors(const Site& site, const Evidence& evidence) {
  constexpr double wishes[] = {0.5,      0.25, 4,         0.125, 8,         16,
                               1.0 / 16, 128,  1.0 / 128, 256,   1.0 / 256, -1};
  constexpr int parts = 12;
  const Fit fit = factor(site, evidence);
  if (fit.elements == 0 || fit.agreeing * 10 < fit.elements * 9) return {};
  std::vector<double> out = {snap(fit.low, fit.high, wishes)};
  const double step = (fit.high - fit.low) / parts;
  for (int p = 0; p < parts; ++p)
    out.push_back(snap(fit.low + p * step, fit.low + (p + 1) * step, wishes));
  std::erase_if(out,
                [](double k) { return k == 0 || k == 1 || k == 2; });  // absent, right, added twice
  return out;
}

std::vector<Params> candidates(const Site& site, const Evidence& evidence) {
  std::vector<Params> sets;
  for (const double how : {0.0, 1.0, 2.0, 3.0}) sets.push_back({{"how", how}});
  for (const double by : {1.0, -1.0, 2.0, -2.0, 4.0, -4.0, 8.0, -8.0, 16.0, -16.0}) {
    sets.push_back({{"how", 4}, {"by", by}});
    sets.push_back({{"how", 4}, {"by", by}, {"around", 1}});
  }
  if (const std::int64_t channel = only_channel(site, evidence); channel >= 0)
    sets.push_back({{"how", 5}, {"by", static_cast<double>(channel)}});
  for (const double k : factors(site, evidence)) sets.push_back({{"how", 6}, {"k", k}});
  return best_sets(site, evidence, std::move(sets), replay);
}

}  // namespace

extern constinit const FaultDef fault_bias_misread = {
    .name = "bias-misread",
    .claim =
        "the bias {how?0:is absent|1:is read with the bytes of each word reversed|2:is cut "
        "to its low 16 bits|3:is added twice|4:is read {by#channel} too "
        "{by?<0:early|:late}{around?0:|1:, around its end}|5:is absent in channel {by}|6:is added "
        "{k} times}",
    .advice =
        "compare a checksum of the bias in the device's memory with the file, word by word\n"
        "check word size, byte order and offset of the bias in the weight image",
    .stage = Stage::node,
    .params = params,
    .applies = applies,
    .candidates = candidates,
    .replay = replay,
};

}  // namespace lockstep
