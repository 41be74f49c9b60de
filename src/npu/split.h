#pragma once

#include "npu/compare.h"

namespace lockstep {

// The differences of one tensor between a device and the reference, split by what the device's own
// compiled program makes of the device's own inputs.
struct NpuSplit {
  int epoch = 0;
  std::string value;
  std::int64_t count = 0, differing = 0;  // device against reference
  std::int64_t explained = 0;             // of those: the program makes the very code
  std::int64_t near = 0;  // of those: one code beside it, a rounding that is not proven
  std::int64_t unexplained = 0;
};

// Samples under the model's names: the device's with the network inputs, the reference's.
Result<std::vector<NpuSplit>> split_differences(NpuSimulator& simulator, const Graph& model,
                                                const NpuMapping& mapping,
                                                std::span<const Sample> device,
                                                std::span<const Sample> reference);

}  // namespace lockstep
