#pragma once

#include "npu/compare.h"
#include "npu/drift.h"

namespace lockstep {

// Why the codes of one tensor that an epoch makes differ from the reference's, over all samples;
// every epoch gets the reference's inputs.
struct NpuAttribution {
  int epoch = 0;
  std::string buffer, value, node;
  std::int64_t count = 0, differing = 0, above_one = 0;
  std::int64_t rounding = 0, sums = 0, multiplier = 0, tables = 0, saturated = 0, arriving = 0,
               unexplained = 0;  // of those that differ
  std::int64_t above_one_unexplained = 0;
  double predicted_rms = 0, measured_rms = 0;  // LSB, of codes that do not saturate
  std::int64_t ties = 0;                       // codes that another tie rule alone changes
};

// `other_ties` names the rule that `ties` is counted against, `rounding` how the reference rounds
// its products (null: once, to nearest).
Result<std::vector<NpuAttribution>> attribute_epochs(NpuSimulator& simulator, const Graph& model,
                                                     const NpuMapping& mapping,
                                                     std::span<const Sample> reference,
                                                     NpuTie other_ties,
                                                     const RequantPolicy* rounding = nullptr);

}  // namespace lockstep
