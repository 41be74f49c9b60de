#include "fault/fault_colours.h"

#include <array>

#include "fault/fault_input.h"

namespace lockstep {
namespace {

constexpr std::array<double, 3> kMean = {0.485, 0.456, 0.406}, kDeviation = {0.229, 0.224, 0.225};

}  // namespace

ChannelLayout channel_layout(const Site& site) {
  const Shape& shape = site.graph().value(site.input).shape;
  if (shape.size() < 2) return {};
  if (shape.size() == 2 || channels_last(site)) return {shape.back(), 1, shape.size() > 2};
  return {shape[1], count_of({shape.begin() + 2, shape.end()}), true};
}
bool has_colours(const ChannelLayout& layout) {
  return layout.picture && layout.count == 3;
}

RealStep step_of_statistics(int which, std::size_t c) {
  const double m = kMean[c], d = kDeviation[c];
  const double other_m = kMean[2 - c], other_d = kDeviation[2 - c];
  switch (which) {
    case 1:
      return {d, m};
    case 2:
      return {1 / d, -m / d};
    case 3:
      return {d / 0.5, (m - 0.5) / 0.5};
    case 4:
      return {0.5 / d, (0.5 - m) / d};
    case 5:
      return {1, m / d};
    case 6:
      return {d, 0};
    case 7:
      return {255, (255 * m - m) / d};
    default:
      return {d / other_d, (m - other_m) / other_d};
  }
}

}  // namespace lockstep
