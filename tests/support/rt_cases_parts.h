#pragma once

#include <array>
#include <string>

#include "support/rt_cases.h"

// The families of rt_sources(), and what several of them draw from.
namespace lockstep::test {

std::span<const RtSource> rt_values();   // one element at a time
std::span<const RtSource> rt_pairs();    // two operands and more, element by element
std::span<const RtSource> rt_windows();  // windows and products
std::span<const RtSource> rt_rows();     // along axes: reductions, softmax, order, choice by place
std::span<const RtSource> rt_places();   // by computed indices
std::span<const RtSource> rt_sequences();   // layers with a state
std::span<const RtSource> rt_detections();  // boxes that stay

// Extents of 1 to 5, now and then up to 40.
Shape small_shape(CaseMaker& m, std::int64_t rank);
DType code_type(CaseMaker& m);
// Codes of 16 bits have no zero point.
QuantParams quant_of(CaseMaker& m, DType t);

template <std::size_t N>
std::string one_of(CaseMaker& m, const std::array<const char*, N>& names) {
  return names[static_cast<std::size_t>(m.from(0, N - 1))];
}

}  // namespace lockstep::test
