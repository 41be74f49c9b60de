#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "npu/memory.h"
#include "npu/units.h"
#include "num/npu_fixed.h"

namespace lockstep {

// What is proven, inferred or unknown about the accelerator's rounding, as named choices. The
// defaults are what reproduces captures of real boards (docs/neural-art.md, "Proven on silicon").
struct NpuRules {
  NpuTie conv = NpuTie::away;      // the convolution's output shift
  NpuTie arith = NpuTie::away;     // the arithmetic unit's output shift
  NpuTie pool = NpuTie::away;      // the average's shift
  NpuTie activ = NpuTie::away;     // the activation unit's shift; not proven
  NpuTie operand = NpuTie::floor;  // Ax_shift and By_shift
  // Intermediates of 16 bits and more keep their fractions: what the constants alone cost.
  bool exact = false;
};

// A convolution's kernels in the order of computation: sets of `kernels` rows of `elements`.
struct NpuKernels {
  std::int64_t sets = 0, kernels = 0, elements = 0;
  std::vector<std::int16_t> weights;
};

// What one run counted beside its results.
struct NpuCounts {
  std::int64_t macs = 0;
  std::int64_t conv_saturated = 0;   // 16-bit convolution outputs that were clamped
  std::int64_t largest_sum = 0;      // of |S|, before any shift
  std::vector<std::string> inexact;  // units computed by an inferred rule, one sentence each
};

// Decoded kernels of constant weights, kept between inferences: (epoch, convolution unit).
using NpuKernelCache = std::map<std::pair<int, int>, std::shared_ptr<const NpuKernels>>;

// Runs the units of one epoch: reads the memory, writes the memory.
Result<void> run_npu_epoch(const NpuEpochForm& form, NpuMemory& memory, const NpuRules& rules,
                           NpuKernelCache& kernels, NpuCounts& counts, const std::string& file);

}  // namespace lockstep
