// Filters of a resize that weighs all elements within reach (N44), in float32 at each step.
#include "num/resize_filter.h"

namespace lockstep {
namespace {

float cubic(float x, float a) {
  if (x < 1) return ((a + 2.0f) * x - (a + 3.0f)) * x * x + 1.0f;
  return x < 2 ? (((x - 5.0f) * x + 8.0f) * x - 4.0f) * a : 0.0f;
}

// What falls beside the axis is added to its first and last element.
void fold_ends(std::vector<float>& w, std::int64_t low, std::int64_t extent) {
  const std::int64_t count = std::ssize(w);
  const auto at = [&](std::int64_t i) -> float& { return w[static_cast<std::size_t>(i)]; };
  const std::int64_t before = std::clamp<std::int64_t>(-low, 0, count - 1);
  for (std::int64_t i = 0; i < before; ++i) at(before) += at(i);
  const std::int64_t behind = std::clamp<std::int64_t>(low + count - extent, 0, count - 1);
  for (std::int64_t i = count - behind; i < count; ++i) at(count - behind - 1) += at(i);
  w.erase(w.begin(), w.begin() + before);
}

}  // namespace

std::vector<FilteredPlace> filtered_places(const ResizedAxis& axis, Coordinates how, bool is_cubic,
                                           float a, bool exclude_outside) {
  const float scale = 1.0f / axis.scale, reach = is_cubic ? 2.0f : 1.0f;
  const float support = scale >= 1 ? reach * scale : reach,
              squeeze = scale >= 1 ? 1.0f / scale : 1.0f;
  const auto extent = static_cast<std::int64_t>(axis.original);
  const std::int64_t window = static_cast<std::int64_t>(std::ceil(support)) * 2 + 1;
  std::vector<FilteredPlace> places;
  for (float i = 0; i < axis.resized; ++i) {
    const float place = scale == 1 ? i : original_place(how, i, axis), centre = 0.5f + place;
    const auto low = static_cast<std::int64_t>(std::floor(centre - support + 0.5f));
    const std::int64_t high =
        low + std::clamp<std::int64_t>(
                  static_cast<std::int64_t>(std::floor(centre + support + 0.5f)) - low, 0, window);
    const std::int64_t first = std::clamp<std::int64_t>(low, 0, extent),
                       last = std::clamp<std::int64_t>(high, 0, extent);
    const std::int64_t from = exclude_outside ? first : low, to = exclude_outside ? last : high;
    std::vector<float> w;
    float total = 0;
    for (std::int64_t x = from; x < to; ++x) {
      const float distance = std::abs((static_cast<float>(x) - centre + 0.5f) * squeeze);
      w.push_back(is_cubic ? cubic(distance, a) : distance < 1 ? 1.0f - distance : 0.0f);
      total += w.back();
    }
    if (!exclude_outside && first < last) fold_ends(w, low, extent);
    FilteredPlace p{first, {}, {}, centre - 0.5f < 0 || centre - 0.5f > axis.original - 1};
    const float factor = total == 0 ? 1.0f : 1.0f / total;
    for (std::int64_t x = 0; x < last - first; ++x) {
      p.weight.push_back(w[static_cast<std::size_t>(x)] * factor);
      p.share.push_back(static_cast<std::int32_t>(std::round(p.weight.back() * 4194304.0f)));
    }
    places.push_back(std::move(p));
  }
  return places;
}

std::int32_t filtered_code(std::int64_t sum) {
  return static_cast<std::int32_t>(std::clamp<std::int64_t>((sum + (1 << 21)) >> 22, 0, 255));
}

}  // namespace lockstep
