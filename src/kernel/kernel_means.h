#pragma once

#include "kernel/kernel.h"

namespace lockstep {

// Means of codes over axes: exact sums, then the arithmetic's own policy for each result.

// sums[c] += the codes of channel c at each position of x
using SumCodes = void (*)(const std::byte* x, std::int64_t positions, std::int64_t channels,
                          bool is_signed, std::int32_t* sums);

bool means_fit(const KernelProblem& p);
std::unique_ptr<PreparedKernel> prepare_means(const KernelProblem& p, SumCodes sum_codes);

}  // namespace lockstep
