#pragma once

#include <optional>

#include "num/numerics.h"

namespace lockstep {

// Which steps a policy takes, for whoever writes them for a device: its rounding by itself, without
// the operator around it.

// Accumulator to code.
enum class RequantSteps : std::uint8_t {
  other,        // only the policy itself says
  fixed_twice,  // N53: multiplier and shift of Rescale
  fixed_once,   // N93
  real32,       // float(acc) * factor, ties to even
  real64,       // acc * real in double, ties away from zero
};
RequantSteps requant_steps(const RequantPolicy& policy);
// Of 64-bit accumulators.
enum class WideSteps : std::uint8_t { none, fixed_16, real64 };  // N54, N57
WideSteps wide_steps(const RequantPolicy& policy);

// The average or sum of n codes as one multiplier: code = zero + apply(sum - n * x_zero) where
// `centred`; else nearest_even(sum * factor + offset) in float32, of more than 8 bits ties away
// from zero.
struct SumSteps {
  RequantSteps steps = RequantSteps::other;
  Rescale rescale;
  bool centred = true;
  float offset = 0;
};
SumSteps sum_steps(const AveragePolicy& policy, std::int32_t n, const AverageScales& s);

// Two codes to one.
enum class BinarySteps : std::uint8_t {
  other,
  add_fixed,      // N59: both on one grid; sub with `minus`
  mul_fixed,      // N60
  square_fixed,   // N75
  prelu_fixed,    // N66
  div_fixed,      // N74
  add_aligned,    // N81: factors a.multiplier, b.multiplier of 2^-y.shift, half up
  add_real,       // N23: fused float32, y.factor the constant
  mul_real,       // N24: float32, zero point added before rounding
  mul_real_late,  // N82: zero point added after rounding
};
struct BinaryForm {
  BinarySteps steps = BinarySteps::other;
  bool minus = false;  // b is taken off
  bool once = false;   // N93 instead of N53
};
// `state` is what policy.prepare made.
BinaryForm binary_form(const BinaryPolicy& policy, const BinaryState& state);

// Windowed averages of codes.
enum class AverageSteps : std::uint8_t {
  other,
  of_codes,  // N61: sum / n, ties away from zero
  of_reals,  // N40: reals one by one in float32
};
AverageSteps average_steps(const AveragePolicy& policy);

// Real to code.
enum class QuantizeSteps : std::uint8_t {
  even,     // N20: quotient, ties to even
  away,     // N65: quotient, ties away from zero
  inverse,  // N83: product with the reciprocal step, ties to even
};
// For codes of `bits` bits.
QuantizeSteps quantize_steps(const QuantizePolicy& policy);

// Rows of codes.
enum class RowSteps : std::uint8_t {
  other,
  softmax_fixed,      // N63
  softmax_table,      // N28
  softmax_terms,      // N89
  softmax_samples,    // N72: 16-bit codes
  log_softmax_fixed,  // N73
  log_softmax_terms,  // N89
  length,             // N71
};
RowSteps row_steps(const SoftmaxPolicy& policy);

}  // namespace lockstep
