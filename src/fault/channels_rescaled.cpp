// y'[c] = requant(k_c acc[c] + add_c): each output channel has a wrong factor and offset of its
// own.
#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "base/random.h"
#include "fault/fault_elements.h"
#include "fault/fault_fine.h"
#include "fault/fault_fit.h"
#include "fault/fault_weights.h"

namespace lockstep {
namespace {

constexpr ParamSpec params[] = {
    {"spread",
     "factors are drawn from 1 / (1 + spread) to 1 + spread where none are given (c<channel>.k, "
     "c<channel>.add)",
     0.5, Takes::real()},
    {"shift", "offsets are drawn up to this many codes either way", 0, Takes::real()},
    {"seed", "which factors and offsets", 1},
};

bool applies(const Site& site) {
  return is_coded_sum(site) && has_weights(site) && weight_channels(site.view()) > 1 &&
         !site.view().output(0).quant.per_channel();
}

struct Channel {
  double k = 1, add = 0;
};

bool names_channels(const Params& p) {
  return std::ranges::any_of(
      p, [](const auto& e) { return e.first.ends_with(".k") || e.first.ends_with(".add"); });
}

// Factors to three digits, offsets to a code.
std::vector<Channel> channels_of(const Params& p, std::int64_t count) {
  std::vector<Channel> out(static_cast<std::size_t>(count));
  if (names_channels(p)) {
    for (std::size_t c = 0; c < out.size(); ++c) {
      if (const auto k = p.find("c" + std::to_string(c) + ".k"); k != p.end()) out[c].k = k->second;
      if (const auto add = p.find("c" + std::to_string(c) + ".add"); add != p.end())
        out[c].add = add->second;
    }
    return out;
  }
  Random random(static_cast<std::uint64_t>(param(params, p, "seed")) * 7919u);
  const double spread = std::max(0.0, param(params, p, "spread")),
               shift = param(params, p, "shift");
  for (Channel& c : out) {
    c.k = std::nearbyint(1000 * std::pow(1 + spread, 2 * random.unit() - 1)) / 1000;
    c.add = std::nearbyint(shift * (2 * random.unit() - 1));
  }
  return out;
}

Result<void> replay(Replay& r) {
  const NodeView n = r.site.view();
  const auto channels = channels_of(r.params, weight_channels(n));
  ChangedNode node(r);
  QuantParams& q = node.input(kWeights).quant;
  if (!q.per_channel()) {
    q.scale.assign(channels.size(), q.scale_at(0));
    q.zero.assign(channels.size(), q.zero_at(0));
    q.axis = weight_axis(n);
  }
  for (std::size_t c = 0; c < channels.size(); ++c) {
    if (!(channels[c].k >= 0))
      return Error{"fault channels-rescaled", "factor " + std::to_string(channels[c].k),
                   "at least 0", ""};
    q.scale[c] *= std::max(channels[c].k, 1e-12);
  }
  const double x = node.input(0).quant.scale_at(0), y = node.output().quant.scale_at(0);
  if (node.has_input(kBias))
    for (std::size_t c = 0; c < channels.size(); ++c)
      if (channels[c].add != 0) {
        Tensor& bias = node.changed(kBias);
        const auto i = static_cast<std::int64_t>(c);
        bias.set_code(i, bias.code(i) + static_cast<std::int64_t>(std::nearbyint(
                                            channels[c].add * y / (x * q.scale[c]))));
      }
  return node.eval_into(r);
}

// What is seen of one channel: results before they are rounded (within `error`) and observed codes,
// both above the zero point; `bound`: the code is at an end of the range (-1 the lower, 1 the
// upper).
struct Seen {
  struct Pair {
    double right, device;
    int bound;
  };
  std::vector<Pair> pairs;
  bool differs = false;
};

// The factor that makes most elements of the channel with this offset.
Fit factor(const Seen& s, double add, double error) {
  constexpr double infinity = std::numeric_limits<double>::infinity();
  std::vector<Interval> intervals;
  for (const Seen::Pair& p : s.pairs) {
    const double size = std::fabs(p.right), sign = p.right < 0 ? -1 : 1;
    if (size < 4 * error) continue;
    // sign device lies within half a step of k size: from `low` to `high`.
    double low = sign * (p.device - add) - 0.5, high = low + 1;
    if (p.bound * sign > 0) high = infinity;
    if (p.bound * sign < 0) low = -infinity;
    intervals.push_back({low / (low > 0 ? size + error : size - error),
                         high / (high > 0 ? size - error : size + error)});
  }
  return most_agreed(intervals);
}

// Of each channel: nothing, or an offset and the factors that most elements agree on.
struct Fitted {
  double add = 0, low = 1, high = 1;
  bool found = false;
  // Of `count` factors inside, the simplest near the place i of them.
  Channel at(int i, int count) const {
    if (!found) return {};
    if (i == 0 && low <= 1 && high >= 1) return {1, add};
    if (i == 0 && low <= 0) return {0, add};
    const double from = std::max(low, 0.0), to = std::isinf(high) ? from + 1 : high;
    if (i == 0) return {snap(from, to, {}), add};
    if (i < 4)
      return {(std::nearbyint(500 * (from + to)) + (i == 2   ? 1
                                                    : i == 3 ? -1
                                                             : 0)) /
                  1000,
              add};  // of three decimals
    // A little beyond both ends: runtimes that round twice leave the interval at ties.
    const double step = 2 * (to - from) / (count + 1);
    const double middle = from - (to - from) / 2 +
                          step * (i % 2 ? (count + 1) / 2 - (i + 1) / 2 : (count + 1) / 2 + i / 2);
    return {snap(middle - step / 2, middle + step / 2, {}), add};
  }
};

Fitted fitted(const Seen& s, double error) {
  if (s.pairs.size() < 2 || !s.differs) return {};
  std::vector<double> x, y;
  for (const Seen::Pair& p : s.pairs)
    if (p.bound == 0) x.push_back(p.right), y.push_back(p.device);
  double add = 0;
  Fit best = factor(s, 0, error);
  if (const Line line = x.empty() ? Line{} : fit_line(x, y); line.valid)
    for (const double move : {0.0, -1.0, 1.0})
      if (const Fit f = factor(s, std::nearbyint(line.intercept) + move, error);
          f.agreeing > best.agreeing)
        best = f, add = std::nearbyint(line.intercept) + move;
  if (best.elements == 0 || best.agreeing * 10 < best.elements * 9 || best.high < 0) return {};
  return {add, best.low, best.high, true};
}

std::vector<Seen> seen_of(const Site& site, const Evidence& evidence, const CodeScale& range,
                          double& error) {
  constexpr double finest = 255;  // beyond, fine results are clamped
  constexpr std::size_t most = 4096;
  const NodeView n = site.view();
  const std::size_t axis = channel_axis(n, n.output(0).shape);
  std::vector<Seen> seen(static_cast<std::size_t>(weight_channels(n)));
  error = 1.0 / 200;  // fine results are rounded to 1/128, some runtimes round twice
  for (const Evidence::Item& item : evidence.items) {
    if (!item.observed || !item.expected || item.observed->count() != item.expected->count())
      continue;
    const std::vector<double> fine = fine_results(site, item);
    if (fine.empty()) error = 0.5;
    for (std::int64_t i = 0; i < item.expected->count(); ++i) {
      const std::int64_t was = item.expected->code(i), is = item.observed->code(i);
      Seen& s =
          seen[static_cast<std::size_t>(index_along(n.output(0).shape, axis, i)) % seen.size()];
      s.differs = s.differs || was != is;
      const double right =
          fine.empty() ? static_cast<double>(was - range.zero) : fine[static_cast<std::size_t>(i)];
      const bool clamped =
          fine.empty() ? was <= range.low || was >= range.high : std::fabs(right) > finest;
      if (clamped || s.pairs.size() >= most) continue;
      s.pairs.push_back({right, static_cast<double>(is - range.zero),
                         is <= range.low    ? -1
                         : is >= range.high ? 1
                                            : 0});
    }
  }
  return seen;
}

// Elements that differ, channel by channel, in all runs.
std::vector<std::int64_t> left_by(const Site& site, const Evidence& evidence, const Params& tried,
                                  std::size_t count) {
  std::vector<std::int64_t> left(count, 0);
  const std::size_t axis = channel_axis(site.view(), site.view().output(0).shape);
  for (const Evidence::Item& item : evidence.items) {
    if (!item.observed || !item.expected || item.observed->count() != item.expected->count())
      continue;
    std::vector<Tensor> out = {*item.expected};
    Replay r{site,           tried,
             item.in,        out,
             item.previous,  item.previous_shown,
             item.first,     item.find,
             item.run,       item.find_before,
             item.find_first};
    if (!replay(r).ok()) return {};
    for (std::int64_t i = 0; i < out[0].count(); ++i)
      left[static_cast<std::size_t>(index_along(out[0].shape(), axis, i)) % count] +=
          out[0].code(i) != item.observed->code(i);
  }
  return left;
}

Params named(const std::vector<Channel>& channels) {
  Params p;
  for (std::size_t c = 0; c < channels.size(); ++c) {
    const std::string name = "c" + std::to_string(c);
    if (channels[c].k != 1) p[name + ".k"] = channels[c].k;
    if (channels[c].add != 0) p[name + ".add"] = channels[c].add;
  }
  return p;
}

// Factors are known to an interval each; of a few inside, a channel keeps the one that its replay
// bears out best.
std::vector<Params> candidates(const Site& site, const Evidence& evidence) {
  constexpr int tries = 48;
  const auto range = output_scale(site.view());
  if (!range) return {};
  double error = 0;
  const std::vector<Seen> seen = seen_of(site, evidence, *range, error);
  std::vector<Fitted> fits;
  for (const Seen& s : seen) fits.push_back(fitted(s, error));
  if (std::ranges::none_of(fits, &Fitted::found)) return {};
  std::vector<Channel> best(seen.size());
  std::vector<std::int64_t> least;
  const auto before = left_by(site, evidence, {{"spread", 0}}, seen.size());
  const std::int64_t differing = std::accumulate(before.begin(), before.end(), std::int64_t{0});
  for (int t = 0; t < tries; ++t) {
    std::vector<Channel> now;
    for (const Fitted& f : fits) now.push_back(f.at(t, tries));
    const auto left = left_by(site, evidence, named(now), now.size());
    if (left.empty()) return {};
    for (std::size_t c = 0; c < now.size(); ++c)
      if (t == 0 || left[c] < least[c]) best[c] = now[c];
    if (t == 0) least = left;
    for (std::size_t c = 0; c < now.size(); ++c) least[c] = std::min(least[c], left[c]);
    const std::int64_t rest = std::accumulate(least.begin(), least.end(), std::int64_t{0});
    if (rest == 0 || rest * (t < 4 ? 4 : 100) > differing) break;  // all, or another fault's work
  }
  Params found = named(best);
  if (found.empty()) return {};
  return best_sets(site, evidence, {std::move(found)}, replay, 1);
}

}  // namespace

extern constinit const FaultDef fault_channels_rescaled = {
    .name = "channels-rescaled",
    .claim = "output channels have wrong factors or offsets of their own",
    .advice =
        "compare the per-channel multipliers and biases in the generated code with the model's "
        "weight scales\n"
        "factors of a batch normalization that was folded in part look like this: fold it in "
        "float, before quantizing",
    .stage = Stage::node,
    .params = params,
    .applies = applies,
    .candidates = candidates,
    .replay = replay,
};

}  // namespace lockstep
