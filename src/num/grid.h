#pragma once

#include <cmath>
#include <cstdint>
#include <optional>

namespace lockstep {

// The code whose real value scale * (code - zero) is `real`, when one of low..high lies within
// `tolerance` steps of it; nothing otherwise, also for NaN.
inline std::optional<std::int64_t> code_on_grid(double real, double scale, std::int64_t zero,
                                                std::int64_t low, std::int64_t high,
                                                double tolerance) {
  const double place = real / scale + static_cast<double>(zero);
  const double code = std::nearbyint(place);
  if (!(std::abs(place - code) <= tolerance)) return std::nullopt;
  if (code < static_cast<double>(low) || code > static_cast<double>(high)) return std::nullopt;
  return static_cast<std::int64_t>(code);
}

}  // namespace lockstep
