#include "fault/fault_fit.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <utility>

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

Line fit_line(std::span<const double> x, std::span<const double> y) {
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
