#pragma once

#include "kernel/kernel_dot.h"

namespace lockstep {

// Sums of products of 16-bit codes that 32 bits do not hold, in parts that they do: convolutions
// and products whose weights are too deep (a few channels of x at a time), and products of two
// matrices of 16-bit codes (some columns of a at a time; b in its upper and its lower bytes). The
// parts meet in 64 bits.
bool wide_sums_fit(const KernelProblem& p);
std::unique_ptr<PreparedKernel> prepare_wide_sums(const KernelProblem& p, const DotSet& set);

}  // namespace lockstep
