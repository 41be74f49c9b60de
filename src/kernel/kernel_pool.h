#pragma once

#include "kernel/kernel.h"
#include "op/op_window.h"

namespace lockstep {

// Poolings, channels last: for one output position the vectors of its taps.
struct PoolPosition {
  const std::byte* const* taps;  // first channel of each tap inside the input
  std::int64_t count = 0, channels = 0;
  std::byte* out = nullptr;
  std::int32_t low = 0, high = 0;  // codes that leave
};
struct PoolSet {
  void (*greatest_signed)(const PoolPosition&) = nullptr;
  void (*greatest_unsigned)(const PoolPosition&) = nullptr;
  void (*greatest_real)(const PoolPosition&) = nullptr;
  // sums[c] += the codes of channel c at each position of x
  void (*sum_codes)(const std::byte* x, std::int64_t positions, std::int64_t channels,
                    bool is_signed, std::int32_t* sums) = nullptr;
};

bool byte_wide(const Value& v);  // 8-bit

// AveragePool of codes; by kernel_pool_average.cpp.
bool average_pool_fits(const KernelProblem& p);
std::unique_ptr<PreparedKernel> prepare_average_pool(const KernelProblem& p, const PoolSet& set);

bool pool_fits(const KernelProblem& p);
std::unique_ptr<PreparedKernel> prepare_pool(const KernelProblem& p, const PoolSet& set);

}  // namespace lockstep
