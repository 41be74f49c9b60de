#pragma once

#include "num/numerics.h"

namespace lockstep {

// What a requantization policy does, for code that computes many accumulators at once
// (num/simd/requant.h). `policy`: only the policy itself says.
enum class RequantForm : std::uint8_t {
  policy,
  float_nearest,  // N22: nearest_even(float(acc) * factor), factor in Rescale::factor
  fixed_twice,    // N53: multiplier and shift of Rescale
};
RequantForm requant_form(const RequantPolicy& policy);

}  // namespace lockstep
