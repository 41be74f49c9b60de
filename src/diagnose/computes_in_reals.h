#pragma once

#include <span>

#include "run/executor.h"

namespace lockstep {

// Reals that lie between the codes of their tensor: no quantized model yields them.
bool off_grid(const Tensor& t, const QuantParams& q);

// Whether most computed tensors that are on a grid in the reference are not in what was recorded.
bool computes_in_reals(const Graph& reference, std::span<const Sample> recorded);

}  // namespace lockstep
