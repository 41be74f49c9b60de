#pragma once

#include "fault/fault_eval.h"
#include "fault/fault_nodes.h"

namespace lockstep {

constexpr std::size_t kWeights = 1, kBias = 2;

// The weights' axis of output channels, how many there are, and the channel of flat weight element
// i.
int weight_axis(const NodeView& n);
std::int64_t weight_channels(const NodeView& n);
std::int64_t weight_channel(const NodeView& n, std::int64_t i);

}  // namespace lockstep
