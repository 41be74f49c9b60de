#pragma once

#include "kernel/kernel.h"
#include "num/mean_form.h"

namespace lockstep {

// Means of codes over axes: exact sums, then the arithmetic's own policy for each result.

// sums[c] += the codes of channel c at each position of x
using SumCodes = void (*)(const std::byte* x, std::int64_t positions, std::int64_t channels,
                          bool is_signed, std::int32_t* sums);

// sums[r] = the codes of row r; rows of n codes lie one behind the other
using SumRows = void (*)(const std::byte* x, std::int64_t rows, std::int64_t n, bool is_signed,
                         std::int32_t* sums);
// N86 for the first sums; how many
using MeanCodes = std::int64_t (*)(const std::int32_t* sums, std::int64_t n, const MeanForm& form,
                                   float low, float high, std::byte* y);
struct MeanSteps {
  SumCodes sum_codes;
  SumRows sum_rows;
  MeanCodes mean_codes;
};

bool means_fit(const KernelProblem& p);
std::unique_ptr<PreparedKernel> prepare_means(const KernelProblem& p, const MeanSteps& steps);

}  // namespace lockstep
