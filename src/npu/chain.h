#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "npu/units.h"

namespace lockstep {

// Which convolutions of an epoch hand partial sums to each other.

// The unit whose frame k-1 this reader sees as its frame k: the writer of the same place that a
// convolution feeds. Nothing when it reads other memory.
std::optional<NpuUnitId> npu_fed_back(const NpuEpochForm& form, NpuUnitId reader);

// The units that must run frame by frame together, first the one whose sums come from outside.
std::vector<NpuUnitId> npu_chain_of(const NpuEpochForm& form, NpuUnitId id);

// Whether frame f adds the partial sums that arrive.
bool npu_takes_partial(const NpuConv& conv, std::int64_t f);

// Sets of kernels that one frame of features meets.
std::size_t npu_repeats_of(const NpuConv& conv);

}  // namespace lockstep
