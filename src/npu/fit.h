#pragma once

#include "npu/compare.h"

namespace lockstep {

// How a named rounding option fares on captured tensors: one stage changed from the defaults.
struct NpuFitRow {
  std::string stage;  // "convolution", "arithmetic", "pooling", "activation", "operand shifts"
  NpuTie rule = NpuTie::away;
  bool is_default = false;
  std::int64_t compared = 0, differing = 0;
};

enum class NpuProof : std::uint8_t { proven, excluded, best, undecided, untouched };
std::string_view name_of(NpuProof proof);

// What the rows say of one: proven when it alone reproduces every code; excluded when another
// reproduces more; undecided when others do as well; untouched when no rule of the stage changes a
// code.
NpuProof proof_of(const std::vector<NpuFitRow>& rows, const NpuFitRow& row);

// Every rule of every stage on the captured samples (network inputs among their tensors, or in
// `inputs`). Captured inner tensors are compared, then handed on, so that each judges its own
// epochs.
Result<std::vector<NpuFitRow>> fit_npu_rules(NpuSimulator& simulator, const Graph& model,
                                             const NpuMapping& mapping,
                                             std::span<const Sample> captured);

}  // namespace lockstep
