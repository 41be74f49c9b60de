#pragma once

#include <cmath>

#include "op/op_foreign.h"

namespace lockstep {

// What normalizations share: each group of elements is brought to mean 0 and variance 1, in double,
// rounded once; then finish(normalized, element index) is stored.
template <class Element, class Finish>
void normalize_group(std::span<const float> x, std::span<float> y, std::size_t count,
                     double epsilon, Element element, Finish finish) {
  double sum = 0, squares = 0;
  for (std::size_t i = 0; i < count; ++i) sum += x[element(i)];
  const double mean = sum / static_cast<double>(count);
  for (std::size_t i = 0; i < count; ++i) {
    const double d = x[element(i)] - mean;
    squares += d * d;
  }
  const double factor = 1 / std::sqrt(squares / static_cast<double>(count) + epsilon);
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t at = element(i);
    y[at] = static_cast<float>(finish((x[at] - mean) * factor, at));
  }
}

inline bool all_float(const NodeView& n) {
  for (std::size_t i = 0; i < n.input_count(); ++i)
    if (n.has_input(i) && n.input(i).dtype != DType::f32) return false;
  return true;
}

}  // namespace lockstep
