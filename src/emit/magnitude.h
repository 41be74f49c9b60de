#pragma once

#include <optional>

#include "ir/graph.h"

namespace lockstep {

// What is known of a float32 tensor before it is computed: values other than zero lie between
// 2^least and 2^most in magnitude.
struct Magnitude {
  int least = 0, most = 0;
  // Helium takes subnormal numbers for zero: far enough from them, and from infinity.
  bool vectors_are_exact() const { return least >= -100 && most <= 100; }
};

// From constants and from the scales of codes, through what is computed of these; nothing where an
// input of reals, or another operator, stands before.
std::optional<Magnitude> magnitude_of(const Graph& graph, ValueId value);

}  // namespace lockstep
