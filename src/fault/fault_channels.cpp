#include "fault/fault_channels.h"

#include "fault/fault_input.h"

namespace lockstep {

std::optional<std::size_t> joined_axis(const Site& site) {
  if (site.node == no_id || site.view().node.op != "Concat") return std::nullopt;
  const auto rank = static_cast<std::int64_t>(site_value(site).shape.size());
  const std::int64_t axis = site.view().attrs().integer("axis", 0);
  return static_cast<std::size_t>(axis < 0 ? axis + rank : axis);
}

Channels channels_of(const Site& site) {
  const Shape& shape = site_value(site).shape;
  if (shape.size() < 2) return {};
  const std::size_t axis = joined_axis(site).value_or(channels_last(site) ? shape.size() - 1 : 1);
  return {shape[axis],
          count_of({shape.begin() + static_cast<std::ptrdiff_t>(axis) + 1, shape.end()})};
}

bool moves_channels(const Site& site, std::int64_t least) {
  return site.node != no_id && site.view().node.outputs[0] != no_id &&
         site.view().node.op != "DequantizeLinear" && channels_of(site).count >= least;
}

}  // namespace lockstep
