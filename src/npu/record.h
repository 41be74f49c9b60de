#pragma once

#include "npu/compare.h"
#include "run/capture.h"

namespace lockstep {

// A buffer's tensor as the user's model has it: shape, element type, zero point, order of axes.
Result<Tensor> tensor_for(const NpuBuffer& buffer, const NpuPair& pair, const Value& value,
                          const Tensor& read);

// Runs the samples and records what every epoch makes, under the model's tensor names where they
// are mapped and under the buffer's own otherwise. Samples hold the network inputs; in the forced
// and exact modes all of the reference's tensors. `wanted` empty: everything.
Result<Capture> record_npu(NpuSimulator& simulator, const Graph& model, const NpuMapping& mapping,
                           std::span<const Sample> samples, NpuMode mode,
                           std::span<const std::string> wanted);

}  // namespace lockstep
