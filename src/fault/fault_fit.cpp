#include "fault/fault_fit.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <optional>
#include <utility>

#include "fault/fault_work.h"

namespace lockstep {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

struct Edge {
  double at;
  int step;  // +1 opens, -1 closes
};

double median(std::vector<double> v) {
  const auto middle = v.begin() + static_cast<std::ptrdiff_t>(v.size() / 2);
  std::nth_element(v.begin(), middle, v.end());
  return *middle;
}

Line least_squares(std::span<const double> x, std::span<const double> y,
                   const std::vector<bool>& use) {
  double n = 0, sx = 0, sy = 0, sxx = 0, sxy = 0;
  for (std::size_t i = 0; i < x.size(); ++i)
    if (use[i]) n += 1, sx += x[i], sy += y[i];
  if (n < 2) return {};
  const double mx = sx / n, my = sy / n;
  for (std::size_t i = 0; i < x.size(); ++i)
    if (use[i]) sxx += (x[i] - mx) * (x[i] - mx), sxy += (x[i] - mx) * (y[i] - my);
  if (sxx <= 0) return {};
  const double slope = sxy / sxx;
  return {slope, my - slope * mx, 0, true};
}

}  // namespace

double Fit::middle() const {
  if (std::isinf(low) && std::isinf(high)) return 0;
  if (std::isinf(low)) return high;
  if (std::isinf(high)) return low;
  return low + (high - low) / 2;
}

Fit most_agreed(std::span<const Interval> intervals) {
  constexpr double sorted = 60;  // of each
  if (!spend(sorted * static_cast<double>(intervals.size()))) return {};
  std::vector<Edge> edges;
  edges.reserve(2 * intervals.size());
  for (const Interval& i : intervals) edges.push_back({i.low, 1}), edges.push_back({i.high, -1});
  std::ranges::sort(edges, [](const Edge& a, const Edge& b) {
    return a.at != b.at ? a.at < b.at : a.step > b.step;
  });
  Fit best{0, 0, 0, static_cast<std::int64_t>(intervals.size())};
  std::int64_t depth = 0;
  for (std::size_t i = 0; i < edges.size(); ++i) {
    depth += edges[i].step;
    if (depth <= best.agreeing) continue;
    best.agreeing = depth;
    best.low = edges[i].at;
    best.high = i + 1 < edges.size() ? edges[i + 1].at : kInfinity;
  }
  return best;
}

bool interval_for(const Linear& e, double slack, Interval& out) {
  if (e.slope == 0) return false;
  const double code = static_cast<double>(e.code);
  double from = e.code <= e.low ? -kInfinity : code - 0.5 - slack;
  double to = e.code >= e.high ? kInfinity : code + 0.5 + slack;
  from = (from - e.offset) / e.slope;
  to = (to - e.offset) / e.slope;
  out = {std::min(from, to), std::max(from, to)};
  return true;
}

double snap(double low, double high, std::span<const double> wishes) {
  for (const double wish : wishes)
    if (wish >= low && wish <= high) return wish;
  if (std::isinf(low) || std::isinf(high)) return Fit{low, high}.middle();
  for (int digits = 1; digits <= 17; ++digits) {
    char text[40];
    std::snprintf(text, sizeof text, "%.*g", digits, (low + high) / 2);
    const double at = std::strtod(text, nullptr);
    if (at >= low && at <= high) return at;
  }
  return (low + high) / 2;
}

namespace {

// At each x once, what all strips there allow.
void merge_equal(std::vector<Strip>& strips) {
  std::ranges::sort(strips, {}, &Strip::x);
  std::size_t kept = 0;
  for (const Strip& s : strips)
    if (kept > 0 && strips[kept - 1].x == s.x)
      strips[kept - 1] = {s.x, std::max(strips[kept - 1].low, s.low),
                          std::min(strips[kept - 1].high, s.high)};
    else
      strips[kept++] = s;
  strips.resize(kept);
}

// The intercepts that a slope leaves: from `low` to `high`, none where low > high.
Interval intercepts_at(std::span<const Strip> strips, double slope) {
  Interval left{-kInfinity, kInfinity};
  for (const Strip& s : strips) {
    left.low = std::max(left.low, s.low - slope * s.x);
    left.high = std::min(left.high, s.high - slope * s.x);
  }
  return left;
}

// The slopes that leave an intercept, around `near`: how far low stands above high is convex.
std::optional<Interval> slopes_of(std::span<const Strip> strips, double near) {
  constexpr double golden = 0.6180339887498949;
  const auto gap = [&](double slope) {
    const Interval i = intercepts_at(strips, slope);
    return i.low - i.high;
  };
  const double reach = 2 * std::fabs(near) + 1e-6;
  double from = near - reach, to = near + reach;
  for (int step = 0; step < 90 && gap(near) > 0; ++step) {
    const double a = to - golden * (to - from), b = from + golden * (to - from);
    const bool left = gap(a) < gap(b);
    (left ? to : from) = left ? b : a;
    near = from + (to - from) / 2;
  }
  if (gap(near) > 0) return std::nullopt;
  const auto end = [&](double outside) {
    double inside = near;
    for (int step = 0; step < 60; ++step) {
      const double middle = inside + (outside - inside) / 2;
      (gap(middle) <= 0 ? inside : outside) = middle;
    }
    return inside;
  };
  return Interval{end(near - reach), end(near + reach)};
}

int digits_of(double v) {
  for (int digits = 1; digits < 17; ++digits) {
    char text[40];
    std::snprintf(text, sizeof text, "%.*g", digits, v);
    if (std::strtod(text, nullptr) == v) return digits;
  }
  return 17;
}

}  // namespace

Line simplest_line(std::vector<Strip> strips, std::span<const double> slopes,
                   std::span<const double> intercepts) {
  constexpr double in_all_steps = 400;  // of each strip
  if (!spend(in_all_steps * static_cast<double>(strips.size()))) return {};
  merge_equal(strips);
  std::vector<double> x, y;
  for (const Strip& s : strips)
    if (std::isfinite(s.low) && std::isfinite(s.high))
      x.push_back(s.x), y.push_back((s.low + s.high) / 2);
  if (x.size() < 3) return {};
  const Line near = fit_line(x, y);
  if (!near.valid) return {};
  const auto range = slopes_of(strips, near.slope);
  if (!range || (range->low <= 0 && range->high >= 0)) return {};  // y may not depend on x at all
  for (const double slope : slopes)
    if (const Interval i = intercepts_at(strips, slope); i.low <= i.high)
      return {slope, snap(i.low, i.high, intercepts), 0, true};
  Line best;
  int least = 100;
  for (int digits = 1; digits <= 12; ++digits) {
    const double middle = (range->low + range->high) / 2;
    const double unit = std::pow(10, std::floor(std::log10(std::fabs(middle))) + 1 - digits);
    for (const double move : {0.0, 1.0, -1.0}) {
      const double slope = snap((std::nearbyint(middle / unit) + move - 1e-6) * unit,
                                (std::nearbyint(middle / unit) + move + 1e-6) * unit, {});
      const Interval i = intercepts_at(strips, slope);
      if (!(i.low <= i.high)) continue;
      const double intercept = snap(i.low, i.high, intercepts);
      const int length = digits_of(slope) + (intercept == 0 ? 0 : digits_of(intercept));
      if (length < least) best = {slope, intercept, 0, true}, least = length;
    }
  }
  return best;
}

Line fit_line(std::span<const double> x, std::span<const double> y) {
  constexpr double in_all_rounds = 60;  // of each
  if (!spend(in_all_rounds * static_cast<double>(x.size()))) return {};
  std::vector<bool> use(x.size(), true);
  Line line = least_squares(x, y, use);
  for (int round = 0; round < 8 && line.valid; ++round) {
    std::vector<double> residual(x.size());
    for (std::size_t i = 0; i < x.size(); ++i)
      residual[i] = std::fabs(y[i] - line.slope * x[i] - line.intercept);
    const double spread = median(residual);
    line.spread = spread;
    std::vector<bool> keep(x.size());
    for (std::size_t i = 0; i < x.size(); ++i) keep[i] = residual[i] <= std::max(3 * spread, 1e-12);
    if (keep == use) break;
    use = std::move(keep);
    Line next = least_squares(x, y, use);
    if (!next.valid) break;
    next.spread = spread;
    line = next;
  }
  return line;
}

}  // namespace lockstep
