#include "num/litert_quantize.h"

#include <algorithm>
#include <cmath>

#include "num/fixed.h"
#include "num/xnnpack.h"

namespace lockstep {

std::int64_t left_by_vectors(const QuantizePolicy& policy, bool is_int16, std::int64_t count) {
  return is_int16 && policy.quantize == xnnpack_quantize.quantize ? count % 8 : 0;
}

std::int32_t quantize_left(float real, float scale, std::int32_t zero, std::int32_t low,
                           std::int32_t high) {
  constexpr double beyond_codes = 1 << 24;
  const double v = std::round(static_cast<double>(real) / static_cast<double>(scale));
  if (!(v == v)) return low;
  const auto held = static_cast<std::int64_t>(std::clamp(v, -beyond_codes, beyond_codes));
  return clamp_code(held + zero, low, high);
}

}  // namespace lockstep
