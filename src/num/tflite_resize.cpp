#include "num/tflite_resize.h"

#include <algorithm>
#include <cmath>

namespace lockstep {
namespace {

float step_of(const ResizeAxis& a) {
  return a.align_corners && a.out > 1 ? static_cast<float>(a.in - 1) / static_cast<float>(a.out - 1)
                                      : static_cast<float>(a.in) / static_cast<float>(a.out);
}

}  // namespace

std::int64_t nearest_index(const ResizeAxis& a, std::int64_t o) {
  const float at = (static_cast<float>(o) + (a.half_pixel ? 0.5f : 0.0f)) * step_of(a);
  const auto index = static_cast<std::int64_t>(a.align_corners ? std::round(at) : std::floor(at));
  return std::clamp<std::int64_t>(index, 0, a.in - 1);
}

std::vector<ResizePoint> real_points(const ResizeAxis& a) {
  const float step = step_of(a);
  std::vector<ResizePoint> points(static_cast<std::size_t>(a.out));
  for (std::size_t o = 0; o < points.size(); ++o) {
    const float at =
        a.half_pixel ? (static_cast<float>(o) + 0.5f) * step - 0.5f : static_cast<float>(o) * step;
    const auto lower = std::max<std::int64_t>(static_cast<std::int64_t>(std::floor(at)), 0);
    points[o] = {lower, std::min<std::int64_t>(static_cast<std::int64_t>(std::ceil(at)), a.in - 1),
                 at - static_cast<float>(lower), 0};
  }
  return points;
}

std::vector<ResizePoint> fine_points(const ResizeAxis& a) {
  constexpr std::int64_t unit = 1 << 10;
  const bool corners = a.align_corners && a.out > 1;
  const std::int64_t in = corners ? a.in - 1 : a.in, out = corners ? a.out - 1 : a.out;
  const std::int64_t step = (unit * in + out / 2) / out;
  std::vector<ResizePoint> points(static_cast<std::size_t>(a.out));
  for (std::size_t o = 0; o < points.size(); ++o) {
    const std::int64_t at =
        static_cast<std::int64_t>(o) * step + (a.half_pixel ? step / 2 - unit / 2 : 0);
    const std::int64_t lower = std::max<std::int64_t>(at / unit, 0);
    const std::int64_t upper = std::min<std::int64_t>((at + unit - 1) / unit, a.in - 1);
    points[o] = {lower, upper, 0, static_cast<std::int32_t>(at - unit * lower)};
  }
  return points;
}

float mix_reals(const float (&v)[4], const ResizePoint& y, const ResizePoint& x) {
  return v[0] * (1 - y.real) * (1 - x.real) + v[1] * y.real * (1 - x.real) +
         v[2] * (1 - y.real) * x.real + v[3] * y.real * x.real;
}

std::int32_t mix_codes(const std::int32_t (&v)[4], const ResizePoint& y, const ResizePoint& x) {
  constexpr std::int64_t unit = 1 << 10;
  const std::int64_t sum = v[0] * (unit - y.fine) * (unit - x.fine) +
                           v[1] * std::int64_t{y.fine} * (unit - x.fine) +
                           v[2] * (unit - y.fine) * x.fine + v[3] * std::int64_t{y.fine} * x.fine;
  return static_cast<std::int32_t>((sum + (sum > 0 ? 1 << 19 : -(1 << 19))) / (1 << 20));
}

std::int32_t mix_unsigned(const std::int32_t (&v)[4], const ResizePoint& y, const ResizePoint& x) {
  const float reals[4] = {static_cast<float>(v[0]), static_cast<float>(v[1]),
                          static_cast<float>(v[2]), static_cast<float>(v[3])};
  return static_cast<std::int32_t>(mix_reals(reals, y, x) + 0.5f);
}

}  // namespace lockstep
