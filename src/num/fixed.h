#pragma once

#include <cstdint>
#include <limits>

namespace lockstep {

constexpr std::int32_t saturate32(std::int64_t v) {
  if (v > std::numeric_limits<std::int32_t>::max()) return std::numeric_limits<std::int32_t>::max();
  if (v < std::numeric_limits<std::int32_t>::min()) return std::numeric_limits<std::int32_t>::min();
  return static_cast<std::int32_t>(v);
}

constexpr std::int32_t saturate16(std::int32_t v) {
  return v < -32768 ? -32768 : v > 32767 ? 32767 : v;
}

constexpr std::int32_t clamp_code(std::int64_t v, std::int32_t low, std::int32_t high) {
  return v < low ? low : v > high ? high : static_cast<std::int32_t>(v);
}

}  // namespace lockstep
