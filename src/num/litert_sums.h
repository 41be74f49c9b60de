#pragma once

#include <span>

#include "num/numerics.h"

namespace lockstep {

// N110: sums that XNNPACK leaves to LiteRT (16-bit codes, scales far apart) go along rows: whole
// vectors of a row by steps of their own, what is left by xnnpack_add.apply, which is N59 there.
enum class GridStep : std::uint8_t {
  once,   // the operand's shift before its multiplier: one rounding, half up
  floor,  // the shift after it, toward minus infinity
};
struct SumRows {
  std::int64_t row = 1;    // elements summed in one go, in the file's order of the result
  std::int64_t whole = 0;  // of these the first ones, which fill vectors
  GridStep step = GridStep::once;
  bool in_vectors(std::int64_t element) const { return element % row < whole; }
};

// Whether `state`, which policy.prepare made, asks for rows.
bool sums_by_rows(const BinaryPolicy& policy, const BinaryState& state);
// Of operands of these shapes, their codes without a sign or with one.
SumRows sum_rows(const BinaryState& state, bool is_unsigned, std::span<const std::int64_t> a,
                 std::span<const std::int64_t> b);
std::int32_t sum_in_vectors(std::int32_t a, std::int32_t b, const BinaryState& state,
                            GridStep step);

}  // namespace lockstep
