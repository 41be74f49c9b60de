#pragma once

#include "num/numerics.h"

namespace lockstep {

// N83: reals to codes of 16 bits are LiteRT's own. Vectors take 8 elements of the tensor, in the
// file's order, by policy.quantize; the elements left at its end are quotients in double, ties away
// from zero.
std::int64_t left_by_vectors(const QuantizePolicy& policy, bool is_int16, std::int64_t count);
std::int32_t quantize_left(float real, float scale, std::int32_t zero, std::int32_t low,
                           std::int32_t high);

}  // namespace lockstep
