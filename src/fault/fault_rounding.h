#pragma once

#include "fault/fault_eval.h"

namespace lockstep {

// How a device may bring an exact real result to a code.
enum class Rounding : std::uint8_t { down, up, toward_zero, half_up, half_away, half_even, twice };

// Puts policies into `node` that compute from real numbers (double) and round once in this way;
// `twice` rounds at 31 bits and then again, half away from zero. Sums, products, averages and
// quantization.
void round_by(ChangedNode& node, Rounding rounding);
// Whether anything in the node is rounded on codes.
bool is_rounded(const Site& site);

}  // namespace lockstep
