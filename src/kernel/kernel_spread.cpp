#include "kernel/kernel_spread.h"

#include <algorithm>

namespace lockstep {
namespace {

// Steps in memory of a tensor, by its axes.
std::vector<std::int64_t> steps_of(const Shape& s, bool channels_last) {
  std::vector<std::int64_t> steps(s.size(), 0);
  std::int64_t step = 1;
  const auto lay = [&](std::size_t d) {
    steps[d] = step;
    step *= s[d];
  };
  const bool moved = channels_last && s.size() > 2;
  if (moved) lay(1);
  for (std::size_t d = s.size(); d-- > 0;)
    if (!moved || d != 1) lay(d);
  return steps;
}

}  // namespace

Spread spread_of(const Shape& y, const Shape& a, bool a_last, const Shape& b, bool b_last,
                 bool channels_last) {
  std::vector<std::size_t> order;
  for (std::size_t d = 0; d < y.size(); ++d) order.push_back(d);
  if (channels_last && y.size() > 2) std::rotate(order.begin() + 1, order.begin() + 2, order.end());
  const auto a_steps = steps_of(a, a_last), b_steps = steps_of(b, b_last);
  const auto step = [&](const Shape& s, const std::vector<std::int64_t>& steps, std::size_t d) {
    const std::size_t missing = y.size() - s.size();
    return d < missing || s[d - missing] == 1 ? 0 : steps[d - missing];
  };
  Spread r;
  for (const std::size_t d : order) {
    if (y[d] == 1) continue;
    const std::int64_t sa = step(a, a_steps, d), sb = step(b, b_steps, d);
    if (r.axes > 0 && r.a[r.axes - 1] == sa * y[d] && r.b[r.axes - 1] == sb * y[d]) {
      r.extent[r.axes - 1] *= y[d];
      r.a[r.axes - 1] = sa;
      r.b[r.axes - 1] = sb;
    } else {
      r.extent[r.axes] = y[d];
      r.a[r.axes] = sa;
      r.b[r.axes++] = sb;
    }
  }
  if (r.axes == 0) r.axes = 1, r.extent[0] = 1;
  return r;
}

}  // namespace lockstep
