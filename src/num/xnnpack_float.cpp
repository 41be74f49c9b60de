#include "num/xnnpack_float.h"

#include <cmath>

namespace lockstep {

const RealFunctions xnnpack_functions = {};

float fused_from(float start, const float* a, std::int64_t a_step, const float* b, std::int64_t b_step,
                 std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) start = std::fma(a[i * a_step], b[i * b_step], start);
  return start;
}

}  // namespace lockstep
