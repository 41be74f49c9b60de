#pragma once

#include "fault/fault.h"

namespace lockstep {

// x' = scale x + offset, on reals.
struct RealStep {
  double scale, offset;
};

// Of a network input: a picture's channels, or features side by side, and which an element is of.
struct ChannelLayout {
  std::int64_t count = 1, stride = 1;
  bool picture = false;
  std::int64_t of(std::int64_t i) const { return i / stride % count; }
};
ChannelLayout channel_layout(const Site& site);
bool has_colours(const ChannelLayout& layout);

// What becomes of colour c (0 .. 2), where the model wants the statistics of ImageNet's channels or
// is given them unasked, by the ways 1 to 8 that fault input-normalized-wrongly numbers.
RealStep step_of_statistics(int which, std::size_t c);

}  // namespace lockstep
