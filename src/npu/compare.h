#pragma once

#include <optional>
#include <string>
#include <vector>

#include "measure/metrics.h"
#include "npu/map.h"
#include "npu/simulate.h"

namespace lockstep {

// chained: the simulator feeds itself. forced: each epoch gets the reference's tensors. exact:
// forced, and intermediates keep their fractions, so that what is left is what the constants alone
// cost.
enum class NpuMode : std::uint8_t { chained, forced, exact };
std::optional<NpuMode> npu_mode_named(std::string_view name);

// One tensor that an epoch makes, against the reference, over all samples.
struct NpuRow {
  int epoch = 0;
  std::string buffer, value;
  double max_lsb = 0, share = 0, cosine = 1, mean_lsb = 0;  // worst, mean, least, mean over samples
  // The mean over samples of figures that were rounded as they are printed: percent to 3 decimals,
  // LSB to 4.
  double shown_percent = 0, shown_mean = 0;
  int samples = 0;
};

// Runs every sample (the reference's tensors, network inputs among them) through the simulator and
// compares every buffer that the mapping knows.
Result<std::vector<NpuRow>> compare_epochs(NpuSimulator& simulator, const Graph& model,
                                           const NpuMapping& mapping,
                                           std::span<const Sample> reference, NpuMode mode);

// Puts the reference's codes into the mapped tensors that an epoch has made.
Result<void> force_epoch(const NpuProgram& program, const NpuEpoch& epoch, const Graph& model,
                         const NpuMapping& mapping, const Sample& reference, NpuMemory& memory);

// The codes of the program's input buffers, from the reference's tensors of one sample.
Result<Sample> simulator_inputs(const NpuSimulator& simulator, const Graph& model,
                                const NpuMapping& mapping, const Sample& reference);

}  // namespace lockstep
