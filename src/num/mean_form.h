#pragma once

#include <optional>

#include "num/numerics.h"

namespace lockstep {

// N86 for one layer, for code that finishes many sums at once (num/simd/means.h):
// he(fl(fl(sum) * factor) + zero), then the clamp. Nothing where the policy rounds otherwise.
struct MeanForm {
  float factor = 0, zero = 0;
};
std::optional<MeanForm> mean_form(const AveragePolicy& policy, std::int32_t n,
                                  const AverageScales& s);

}  // namespace lockstep
