#pragma once

#include "kernel/kernel_dot.h"

namespace lockstep {

// Products of two matrices of codes whose sums 32 bits do not hold: some columns of a at a time,
// and b of 16 bits in its upper and its lower bytes.
bool wide_products_fit(const KernelProblem& p);
std::unique_ptr<PreparedKernel> prepare_wide_products(const KernelProblem& p, const DotSet& set);

}  // namespace lockstep
