#pragma once

#include "kernel/kernel.h"
#include "num/numerics.h"

namespace lockstep {

// Operators whose every element follows from the elements at the same place. A call computes a run
// of neighbours; operands of codes that are spread against each other are written out for it.
struct PlaceCall {
  const std::byte *a = nullptr, *b = nullptr;
  std::byte* y = nullptr;
  std::int64_t count = 0;
  bool a_signed = false, b_signed = false, y_signed = false;
  // codes from reals and back
  float scale = 1;
  std::int32_t zero = 0, low = 0, high = 0;
  // two operands in codes; a stored code stands for code + shift of its operand
  const BinaryState* state = nullptr;
  const BinaryPolicy* policy = nullptr;
  std::int32_t a_shift = 0, b_shift = 0, y_shift = 0;
};
using PlaceFunction = void (*)(const PlaceCall&);

struct PlaceSet {
  PlaceFunction quantize = nullptr;             // N20
  PlaceFunction quantize_product = nullptr;     // N83: times the reciprocal step
  PlaceFunction dequantize = nullptr;           // N21
  PlaceFunction add_nearest = nullptr;          // N23
  PlaceFunction mul_nearest = nullptr;          // N24
  PlaceFunction mul_nearest_by_zero = nullptr;  // N82: N24, but rounded before the zero point
  PlaceFunction mul_twice = nullptr;            // N60
  PlaceFunction add_grid = nullptr;             // N59
  PlaceFunction add_half_up = nullptr;  // both factors integers of one power of two, half up
  PlaceFunction add = nullptr, sub = nullptr, mul = nullptr;          // of reals
  PlaceFunction mul_twice_words = nullptr, add_grid_words = nullptr;  // N60, N59 of 16-bit codes
  // N110's vectors, of 16-bit codes, of codes of one byte with a sign and without
  PlaceFunction add_once_words = nullptr, add_once = nullptr, add_floor = nullptr;
};

bool places_fit(const KernelProblem& p, const PlaceSet& set);
std::unique_ptr<PreparedKernel> prepare_places(const KernelProblem& p, const PlaceSet& set);

}  // namespace lockstep
