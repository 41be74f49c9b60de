#pragma once

#include <cstddef>
#include <cstdint>

#include "ir/tensor.h"

namespace lockstep {

// Elements [begin, begin + length) along an axis.
Tensor sliced(const Tensor& t, std::size_t axis, std::int64_t begin, std::int64_t length);

}  // namespace lockstep
