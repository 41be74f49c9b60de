#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace lockstep {

// Where a parameter may lie so that one element comes out as observed; low <= high, may be
// infinite.
struct Interval {
  double low, high;
};

// The values of a parameter that satisfy most elements at once.
struct Fit {
  double low = 0, high = 0;   // the interval itself
  std::int64_t agreeing = 0;  // elements satisfied
  std::int64_t elements = 0;  // elements asked
  double middle() const;
};

// Exact: the point covered by most intervals (n log n). Outliers do not move it.
Fit most_agreed(std::span<const Interval> intervals);

// Values x at which f, with unsaturated elements, yields `observed` codes: x * slope + offset
// rounds to `code` within half a step (`slack` wider, for arithmetics that round otherwise). `low`
// and `high` are the clamp: a code at a bound says only that the sum reaches it. slope 0: nothing
// is learned, empty.
struct Linear {
  double slope, offset;
  std::int64_t code, low, high;
};
bool interval_for(const Linear& e, double slack, Interval& out);

// The simplest number in [low, high]: a wished one if some is inside (first wins), else the
// shortest decimal.
double snap(double low, double high, std::span<const double> wishes);

// y = a*x + b over all elements, robust (least squares, then again over those within 3 median
// deviations).
struct Line {
  double slope = 0, intercept = 0, spread = 0;  // spread: median |residual|
  bool valid = false;
};
Line fit_line(std::span<const double> x, std::span<const double> y);

// What a line may make of x: low <= slope x + intercept <= high; either end may be infinite.
struct Strip {
  double x, low, high;
};
// Of the lines through every strip the simplest: wished numbers, else the fewest digits together.
// Not valid where there is none, or too few strips to tell.
Line simplest_line(std::vector<Strip> strips, std::span<const double> slopes,
                   std::span<const double> intercepts);

}  // namespace lockstep
