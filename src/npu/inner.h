#pragma once

#include "npu/compare.h"
#include "npu/layers.h"

namespace lockstep {

// A tensor that no tensor of the model equals, yet that follows from the model: the sums of a
// layer that cross memory before they become codes, and codes or sums in another order of blocks
// (SpaceToDepth).
struct NpuInnerRow {
  int epoch = 0;
  std::string buffer, of;  // the layer of the model, or the tensor that it is a copy of
  std::int64_t count = 0, wrong = 0;
  double worst = 0;  // in steps of the buffer
};

// Runs the samples teacher-forced and compares every such tensor: codes must be equal, sums within
// what rounding their parts to 16 bits may cost. In the order of the epochs.
Result<std::vector<NpuInnerRow>> compare_inner(NpuSimulator& simulator, const Graph& model,
                                               const NpuMapping& mapping,
                                               std::span<const Sample> reference);

}  // namespace lockstep
