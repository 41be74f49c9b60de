#pragma once

#include <cstdint>
#include <vector>

#include "num/resize.h"

namespace lockstep {

// onnxruntime's filter along one axis (N44): output i weighs the elements from `first` on.
struct FilteredPlace {
  std::int64_t first = 0;
  std::vector<float> weight;        // sums to 1
  std::vector<std::int32_t> share;  // the same in units of 2^-22, for codes
  bool beside = false;              // the place lies beside the axis
};
std::vector<FilteredPlace> filtered_places(const ResizedAxis& axis, Coordinates how, bool cubic,
                                           float a, bool exclude_outside);

// The code that a sum of codes times shares stands for; int8 is held as the byte that uint8 would
// be.
std::int32_t filtered_code(std::int64_t sum);

}  // namespace lockstep
