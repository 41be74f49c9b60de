#pragma once

#include <vector>

#include "npu/audit.h"

namespace lockstep {

// The layers of a program as its own tables state them: the scales of weights, of the tensor that
// enters and of the one that is made. For an audit without the model; `kernel_*` are those that the
// program computes with. A layer whose tables do not say enough has no channels.
std::vector<ModelLayer> stated_layers(const NpuSimulator& simulator,
                                      const std::vector<NpuLayer>& layers);

}  // namespace lockstep
