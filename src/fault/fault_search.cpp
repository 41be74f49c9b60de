#include "fault/fault_search.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

namespace lockstep {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

// Halves the way from a point that reproduces to one that does not.
double edge(const std::function<double(double)>& misfit, double inside, double outside) {
  for (int step = 0; step < 10; ++step) {
    const double middle = inside + (outside - inside) / 2;
    (misfit(middle) == 0 ? inside : outside) = middle;
  }
  return inside;
}

// The misfit is not smooth near its least: of the short decimals around `at` the best, if it is
// better.
double simplest_near(const std::function<double(double)>& misfit, double at, double& least) {
  if (at == 0 || !std::isfinite(at)) return at;
  double best = at;
  for (int digits = 1; digits <= 4; ++digits) {
    const double unit = std::pow(10, std::floor(std::log10(std::fabs(at))) + 1 - digits);
    for (const double move : {0.0, 1.0, -1.0}) {
      const double point = (std::nearbyint(at / unit) + move) * unit;
      if (std::fabs(point / at - 1) > 0.05) continue;
      if (const double m = misfit(point); m < least) least = m, best = point;
      if (least == 0) return best;
    }
  }
  return best;
}

}  // namespace

std::optional<Found> least_misfit(const std::function<double(double)>& misfit,
                                  std::span<const double> grid) {
  constexpr double golden = 0.6180339887498949;
  std::size_t best = grid.size();
  double least = kInfinity;
  for (std::size_t i = 0; i < grid.size(); ++i)
    if (const double m = misfit(grid[i]); m < least) least = m, best = i;
  if (best == grid.size()) return std::nullopt;
  double low = grid[best == 0 ? 0 : best - 1], high = grid[std::min(best + 1, grid.size() - 1)],
         at = grid[best];
  for (int step = 0; step < 28 && least > 0; ++step) {
    // The longer side of the best point is cut.
    const bool above = high - at > at - low;
    const double next = above ? high - golden * (high - at) : low + golden * (at - low);
    const double m = misfit(next);
    if (m < least) {
      (above ? low : high) = at;
      at = next, least = m;
    } else {
      (above ? high : low) = next;
    }
  }
  if (least > 0) {
    const double point = simplest_near(misfit, at, least);
    return Found{point, point, least};
  }
  return Found{edge(misfit, at, low), edge(misfit, at, high), 0};
}

std::optional<Found> least_misfit(const std::function<double(std::int64_t)>& misfit,
                                  std::int64_t low, std::int64_t high) {
  std::map<std::int64_t, double> known;
  const auto at = [&](std::int64_t i) {
    const auto it = known.find(i);
    return it != known.end() ? it->second : known[i] = misfit(i);
  };
  if (low > high) return std::nullopt;
  const std::int64_t first = low, last = high;
  for (std::int64_t step = std::max<std::int64_t>(1, (high - low) / 16);;
       step = std::max<std::int64_t>(1, step / 4)) {
    for (std::int64_t i = low; i <= high; i += step) at(i);
    const auto best = std::ranges::min_element(known, {}, [](const auto& k) { return k.second; });
    if (best->second == 0 || step == 1) {
      if (!(best->second < kInfinity)) return std::nullopt;
      const auto x = static_cast<double>(best->first);
      return Found{x, x, best->second};
    }
    low = std::max(first, best->first - step);
    high = std::min(last, best->first + step);
  }
}

std::optional<double> least_step(const std::function<double(double)>& misfit, std::int64_t most) {
  std::optional<double> best;
  double least = kInfinity;
  for (std::int64_t step = 1; step <= most && least > 0; ++step)
    for (const std::int64_t by : {step, -step})
      if (const double m = misfit(static_cast<double>(by)); m < least)
        least = m, best = static_cast<double>(by);
  return best;
}

std::optional<Affine> least_affine(const std::function<double(double, double)>& misfit,
                                   double middle, double spread) {
  Affine best{1, middle, kInfinity};
  const auto slopes = by_factors(0.25, 4, 9);
  for (const double slope : slopes)
    for (double shift = -2; shift <= 2; shift += 0.5)
      if (const double m = misfit(slope, middle + shift * spread); m < best.misfit)
        best = {slope, middle + shift * spread, m};
  if (!(best.misfit < kInfinity)) return std::nullopt;
  double width = 1.3, reach = 0.5 * spread;
  for (int turn = 0; turn < 5 && best.misfit > 0; ++turn, width = 1 + (width - 1) / 4, reach /= 4) {
    const double slope = best.slope, level = best.level;
    std::vector<double> levels;
    for (int i = -3; i <= 3; ++i) levels.push_back(level + i * reach / 3);
    if (const auto found = least_misfit([&](double l) { return misfit(slope, l); }, levels);
        found && found->misfit <= best.misfit)
      best = {slope, found->low + (found->high - found->low) / 2, found->misfit};
    const auto near = by_factors(slope / width, slope * width, 7);
    if (best.misfit == 0) break;
    if (const auto found = least_misfit([&](double s) { return misfit(s, best.level); }, near);
        found && found->misfit <= best.misfit)
      best = {found->low + (found->high - found->low) / 2, best.level, found->misfit};
  }
  return best;
}

std::vector<double> by_factors(double low, double high, int count) {
  std::vector<double> points;
  for (int i = 0; i < count; ++i)
    points.push_back(low * std::pow(high / low, i / static_cast<double>(count - 1)));
  return points;
}

}  // namespace lockstep
