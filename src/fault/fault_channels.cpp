#include "fault/fault_channels.h"

#include "fault/fault_input.h"

namespace lockstep {

Channels channels_of(const Site& site) {
  const Shape& shape = site_value(site).shape;
  if (shape.size() < 2) return {};
  const std::size_t axis = channels_last(site) ? shape.size() - 1 : 1;
  return {shape[axis], count_of({shape.begin() + static_cast<std::ptrdiff_t>(axis) + 1, shape.end()})};
}

bool moves_channels(const Site& site, std::int64_t least) {
  return site.node != no_id && site.view().node.outputs[0] != no_id && site.view().node.op != "DequantizeLinear" &&
         channels_of(site).count >= least;
}

}  // namespace lockstep
