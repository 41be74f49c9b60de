#pragma once

#include <cstddef>
#include <cstdint>

#include "ir/tensor.h"

namespace lockstep {

inline constexpr std::size_t most_axes = 8;

// Two operands spread against each other over y: y's axes in the order of memory, outermost first,
// joined where both operands walk on; steps in elements.
struct Spread {
  std::size_t axes = 0;
  std::int64_t extent[most_axes] = {}, a[most_axes] = {}, b[most_axes] = {};
};

// Operands and y lie channels last where it is said.
Spread spread_of(const Shape& y, const Shape& a, bool a_last, const Shape& b, bool b_last,
                 bool channels_last);

}  // namespace lockstep
