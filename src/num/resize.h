#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

namespace lockstep {

// Where element i of a resized axis lies on the axis it came from, in float32 throughout as
// runtimes compute it (docs/numerics.md, resize).
enum class Coordinates : std::uint8_t {
  half_pixel,
  asymmetric,
  pytorch_half_pixel,
  tf_half_pixel_for_nn,
  align_corners,
  tf_crop_and_resize,
  half_pixel_symmetric
};

struct ResizedAxis {
  float scale = 1;                   // resized / original, as the file says or as the extents imply
  float resized = 1, original = 1;   // extents
  float roi_start = 0, roi_end = 1;  // of tf_crop_and_resize
};

inline float original_place(Coordinates how, float i, const ResizedAxis& a) {
  switch (how) {
    case Coordinates::asymmetric:
      return i / a.scale;
    case Coordinates::pytorch_half_pixel:
      return a.resized > 1 ? (i + 0.5f) / a.scale - 0.5f : 0.f;
    case Coordinates::tf_half_pixel_for_nn:
      return (i + 0.5f) / a.scale;
    case Coordinates::align_corners:
      return a.resized == 1 ? 0.f : i * (a.original - 1) / (a.resized - 1);
    case Coordinates::tf_crop_and_resize:
      if (!(a.resized > 1))
        return static_cast<float>(0.5 * (a.roi_start + a.roi_end) * (a.original - 1));
      return a.roi_start * (a.original - 1) +
             i * (a.roi_end - a.roi_start) * (a.original - 1) / (a.resized - 1);
    case Coordinates::half_pixel_symmetric: {
      const float offset = a.original / 2 * (1 - a.resized / (a.scale * a.original));
      return static_cast<float>(offset + (i + 0.5) / a.scale - 0.5);
    }
    case Coordinates::half_pixel:
      break;
  }
  return (i + 0.5f) / a.scale - 0.5f;
}

// Which element stands nearest to a place; `simple` is what opset 10 did.
enum class Nearest : std::uint8_t { round_prefer_floor, round_prefer_ceil, floor, ceil, simple };

inline std::int64_t nearest_element(Nearest how, float place, bool shrinks) {
  const float down = std::floor(place);
  const auto integer = [](float x) { return static_cast<std::int64_t>(x); };
  switch (how) {
    case Nearest::floor:
      return integer(down);
    case Nearest::ceil:
      return integer(std::ceil(place));
    case Nearest::simple:
      return shrinks ? integer(std::ceil(place)) : integer(place);
    case Nearest::round_prefer_ceil:
      return integer(std::round(place));
    case Nearest::round_prefer_floor:
      break;
  }
  return place == down + 0.5f ? integer(down) : integer(std::round(place));
}

// One element of the original axis with its weight.
struct Tap {
  std::int64_t index;
  float weight;
};

// The weight of an element at `distance` >= 0 under the cubic of coefficient a, or the linear tent.
inline float cubic_weight(float d, float a) {
  if (d <= 1) return ((a + 2) * d - (a + 3)) * d * d + 1;
  return d < 2 ? ((a * d - 5 * a) * d + 8 * a) * d - 4 * a : 0;
}
inline float linear_weight(float d) {
  return d < 1 ? 1 - d : 0;
}

// The elements that weigh on `place`. With antialias the filter is widened by 1 / scale when the
// axis shrinks. Elements outside take the edge's value, or with exclude_outside nothing; the rest
// then weighs 1 together; where `total` is given the weights stay as they are and it gets what to
// divide by.
inline std::vector<Tap> filter_taps(float place, const ResizedAxis& axis, bool cubic, float a,
                                    bool antialias, bool exclude_outside, float* total = nullptr) {
  const float squeeze = antialias ? std::min(axis.scale, 1.f) : 1.f;
  const float reach = (cubic ? 2.f : 1.f) / squeeze;
  const auto extent = static_cast<std::int64_t>(axis.original);
  std::vector<Tap> taps;
  float sum = 0;
  const auto floor = static_cast<std::int64_t>(std::floor(place));
  const bool by_fraction =
      cubic && !antialias;  // distances of the four neighbours from the fraction, which is rounded
  const float fraction = place - static_cast<float>(floor);
  const auto first = by_fraction ? floor - 1 : static_cast<std::int64_t>(std::ceil(place - reach));
  for (std::int64_t i = first;
       by_fraction ? i <= floor + 2 : static_cast<float>(i) <= place + reach; ++i) {
    const float distance = by_fraction ? std::abs(static_cast<float>(i - floor) - fraction)
                                       : std::abs(static_cast<float>(i) - place) * squeeze;
    float weight = cubic ? cubic_weight(distance, a) : linear_weight(distance);
    if (exclude_outside && (i < 0 || i >= extent)) weight = 0;
    sum += weight;
    taps.push_back({std::clamp<std::int64_t>(i, 0, extent - 1), weight});
  }
  const bool divides = (antialias || exclude_outside) && sum != 0;
  if (total)
    *total = divides ? sum : 1;
  else if (divides)
    for (Tap& tap : taps) tap.weight /= sum;
  return taps;
}

// The two neighbours of a place held inside the axis, each with its distance to the other as
// weight; a half each where both are one.
inline std::pair<Tap, Tap> linear_neighbours(float place, std::int64_t extent) {
  const float inside = std::max(0.f, std::min(place, static_cast<float>(extent - 1)));
  const std::int64_t first = std::min(static_cast<std::int64_t>(inside), extent - 1);
  const std::int64_t second = std::min(first + 1, extent - 1);
  if (first == second) return {{first, 0.5f}, {second, 0.5f}};
  return {{first, std::abs(inside - static_cast<float>(second))},
          {second, std::abs(inside - static_cast<float>(first))}};
}

// N44: the share of the second of one or two taps in units of 1/1024, cut.
inline std::int32_t fine_share(const std::vector<Tap>& taps) {
  return taps.size() < 2 ? 0 : static_cast<std::int32_t>(taps.back().weight * 1024.0f);
}

// N44: four codes (both columns of the first row, then of the second) mixed by the shares of second
// row and second column, cut toward zero.
inline std::int32_t fine_mix(const std::int32_t (&v)[4], std::int32_t row, std::int32_t column) {
  const std::int32_t row0 = 1024 - row, column0 = 1024 - column;
  return (row0 * column0 * v[0] + row0 * column * v[1] + row * column0 * v[2] +
          row * column * v[3]) /
         (1 << 20);
}

}  // namespace lockstep
