#pragma once

#include "kernel/kernel_dot.h"

namespace lockstep {

// Transposed convolutions of codes by the tiles of `set`. What lies `stride` apart in y sees the
// same taps: for each such phase y is a convolution of stride 1, and phases along the last axis
// that see the same places of x are computed as one of more channels.
bool transposed_fits(const KernelProblem& p, const DotSet& set);
std::unique_ptr<PreparedKernel> prepare_transposed(const KernelProblem& p, const DotSet& set);

// The phase r of one axis: y + begin = q * stride + r for q from first to last, and
//   y[q] = sum_t w[t] x[q - places[t]],   places of the taps that meet it, ascending.
struct TransposedPhase {
  std::int64_t r = 0, first = 0, last = -1;  // none where last < first
  struct Tap {
    std::int64_t tap, place;
  };
  std::vector<Tap> taps;  // none: nothing but the bias
};
struct TransposedAxis {
  std::int64_t out, kernel, stride, dilation, begin;
};
TransposedPhase transposed_phase(const TransposedAxis& a, std::int64_t r);

}  // namespace lockstep
