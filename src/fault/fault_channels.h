#pragma once

#include <optional>

#include "fault/fault.h"

namespace lockstep {

// The axis that a Concat joins along.
std::optional<std::size_t> joined_axis(const Site& site);

// The channels of what a site yields, or what a Concat joins: how many, and how many elements lie
// between neighbours.
struct Channels {
  std::int64_t count = 0, stride = 1;
  std::int64_t of(std::int64_t element) const { return element / stride % count; }
};
Channels channels_of(const Site& site);

// Whether the site is a node whose result has at least so many channels that may change places.
bool moves_channels(const Site& site, std::int64_t least);

// For each of `elements`, the element that stands in its place where channel c shows channel
// from(c).
template <class From>
std::vector<std::int64_t> from_channels(const Channels& c, std::int64_t elements,
                                        const From& from) {
  std::vector<std::int64_t> source(static_cast<std::size_t>(elements));
  for (std::int64_t i = 0; i < elements; ++i)
    source[static_cast<std::size_t>(i)] = i + (from(c.of(i)) - c.of(i)) * c.stride;
  return source;
}

}  // namespace lockstep
