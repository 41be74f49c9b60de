#pragma once

#include <initializer_list>

#include "device/device.h"

namespace lockstep {

// The kernel of a convolution or matrix product with constant weights; in == 0: no such layer.
struct N6Layer {
  std::int64_t in = 0, out = 0, rows = 1, columns = 1, group = 1;
};
N6Layer n6_layer(const NodeView& n);

bool n6_is(const NodeView& n, std::initializer_list<std::string_view> names);
// The largest element of an attribute of integers, 1 where it is absent.
std::int64_t n6_largest(const NodeView& n, std::string_view attribute);

DevicePlacement n6_place(const NodeView& n);
DeviceCost n6_cost(const NodeView& n, DevicePlace where);

}  // namespace lockstep
