#pragma once

#include <optional>
#include <string>
#include <vector>

#include "npu/epoch.h"
#include "npu/simulate.h"

namespace lockstep {

// One arithmetic unit of a requantization as a map over the reals: v -> factor[k] * v + offset[k].
struct NpuStage {
  NpuUnitId id;
  const NpuArith* arith = nullptr;
  std::vector<double> factor, offset;     // one, or one for each output channel
  std::vector<std::int64_t> coefficient;  // the 16-bit multiplier behind each factor
  bool ends_in_codes() const { return arith->outbytes_o == 1 && arith->saturation_o != 0; }
  double factor_at(std::size_t k) const { return factor[factor.size() == 1 ? 0 : k]; }
  double offset_at(std::size_t k) const { return offset[offset.size() == 1 ? 0 : k]; }
};

// A convolution of the program with the arithmetic that turns its sums into codes: what the
// constants in the registers and in the weights say.
struct NpuLayer {
  std::string node;                // the compiler's name: "Conv2D_17"
  int epoch = 0, codes_epoch = 0;  // where the sums are made, and where they become codes
  std::vector<NpuUnitId> convs;    // in the order in which partial sums pass, or are added up
  int shift = 0;                   // of the sums, before they are held in 16 bits
  int passes = 1;                  // over input channels, the sum rounded after each
  int parts = 1;                   // of the kernel, whose sums are rounded before they are added
  std::vector<int> part_epochs;    // of parts whose sums an earlier epoch made
  bool continued = false;          // a later layer adds these sums to its own
  std::int64_t fsub = 0;
  std::vector<std::int64_t> kernel_sum, kernel_squares;  // of the weight codes, by output channel
  std::vector<std::int64_t> kernel_size;  // weights that meet in a channel, zeros too
  std::vector<NpuStage> stages;           // up to and including the one that ends in int8 codes

  std::size_t channels() const { return kernel_sum.size(); }
  double multiplier(std::size_t k) const;   // sum -> codes
  double offset(std::size_t k) const;       // codes at sum 0
  double last_factor(std::size_t k) const;  // of the stages behind the per-channel multiplier
};

// A convolution whose kernels or constants cannot be read, and why.
struct NpuBrokenLayer {
  int epoch = 0;
  std::string node;
  Error why;
};

// The convolution whose sums an arithmetic unit adds to those of `id`, of the same node of the
// compiler: parts of one kernel. `joiner` is that unit. Nothing when there is none.
struct NpuJoined {
  NpuUnitId other, joiner;
  bool first = false;  // `id` is the unit's first operand
};
std::optional<NpuJoined> npu_joined_sums(const NpuEpochForm& form, NpuUnitId id);

// Sums of another part of the kernel of `id` that an earlier epoch left in memory, and the
// arithmetic unit that adds both. Nothing when there are none.
struct NpuLeftSums {
  const NpuBuffer* buffer = nullptr;
  NpuUnitId joiner;
};
std::optional<NpuLeftSums> npu_left_sums(const NpuProgram& program, const NpuEpochForm& form,
                                         NpuUnitId id);

// Every convolution of the hardware epochs, in order. Errors: constants outside the weights; with
// `broken` such layers are left out and said there.
Result<std::vector<NpuLayer>> npu_layers(const NpuSimulator& simulator,
                                         std::vector<NpuBrokenLayer>* broken = nullptr);

}  // namespace lockstep
