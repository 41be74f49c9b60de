#pragma once

#include "kernel/kernel_dot.h"

namespace lockstep {

// LSTM and SVDF on 8-bit codes: sums of products by the tiles of `set`, the rest by the policies.
bool lstm_codes_fits(const KernelProblem& p);
std::unique_ptr<PreparedKernel> prepare_lstm_codes(const KernelProblem& p, const DotSet& set);
bool svdf_codes_fits(const KernelProblem& p);
std::unique_ptr<PreparedKernel> prepare_svdf_codes(const KernelProblem& p, const DotSet& set);

}  // namespace lockstep
