#pragma once

#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "fault/fault_fit.h"

namespace lockstep {

// One parameter found by replaying: `misfit` is 0 where the evidence is reproduced and grows,
// mostly, with the distance from there. Looks at `grid` first, then around its best point. The
// interval in which the misfit is 0, or the point where it is least; nothing when the grid is empty
// or no point is finite.
struct Found {
  double low, high;  // equal unless the misfit is 0
  double misfit;
};
std::optional<Found> least_misfit(const std::function<double(double)>& misfit,
                                  std::span<const double> grid);
// The same over whole numbers low..high.
std::optional<Found> least_misfit(const std::function<double(std::int64_t)>& misfit,
                                  std::int64_t low, std::int64_t high);

// Whole numbers without zero, -most..most, nearest to zero first: the one of least misfit. Stops at
// 0.
std::optional<double> least_step(const std::function<double(double)>& misfit, std::int64_t most);

// y = slope (x - middle) + level over x of the given mean and spread: the slope and level of least
// misfit, each in turn, from a coarse grid around the identity.
struct Affine {
  double slope, level, misfit;
};
std::optional<Affine> least_affine(const std::function<double(double slope, double level)>& misfit,
                                   double middle, double spread);

// `count` points from low to high, each by the same factor further on.
std::vector<double> by_factors(double low, double high, int count);

}  // namespace lockstep
