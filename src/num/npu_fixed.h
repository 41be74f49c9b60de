#pragma once

#include <cmath>
#include <cstdint>
#include <optional>
#include <string_view>

namespace lockstep {

// How a rounding right shift of the accelerator breaks ties; `floor` drops the bits instead of
// rounding to nearest. docs/neural-art.md says which stage is proven to do what.
enum class NpuTie : std::uint8_t { away, up, even, odd, zero, down, floor };

constexpr std::string_view npu_tie_names[] = {"away", "up", "even", "odd", "zero", "down", "floor"};

constexpr std::optional<NpuTie> npu_tie_named(std::string_view name) {
  for (int i = 0; i < 7; ++i)
    if (npu_tie_names[i] == name) return static_cast<NpuTie>(i);
  return std::nullopt;
}

// v / 2^s, rounded to nearest with ties as named (floor: towards minus infinity); s <= 0 shifts
// left. |v| < 2^62, -31 <= s <= 62.
constexpr std::int64_t npu_shift(std::int64_t v, int s, NpuTie tie) {
  if (s <= 0) return v * (std::int64_t{1} << -s);
  const std::int64_t half = std::int64_t{1} << (s - 1);
  const std::int64_t below = v >> s;                 // floor
  const std::int64_t rest = v - below * (half * 2);  // 0 .. 2^s - 1
  if (tie == NpuTie::floor || rest < half) return below;
  if (rest > half) return below + 1;
  switch (tie) {
    case NpuTie::away:
      return v >= 0 ? below + 1 : below;
    case NpuTie::up:
      return below + 1;
    case NpuTie::even:
      return below + (below & 1);
    case NpuTie::odd:
      return below + 1 - (below & 1);
    case NpuTie::zero:
      return v >= 0 ? below : below + 1;
    case NpuTie::down:
    case NpuTie::floor:
      break;
  }
  return below;
}

// The same with ties away from zero, without a branch: the rule of every stage on silicon. s >= 1.
constexpr std::int64_t npu_shift_away(std::int64_t v, int s) {
  return (v + (std::int64_t{1} << (s - 1)) + (v >> 63)) >> s;
}

// True where v / 2^s lies exactly between two integers: the only place where tie rules differ.
constexpr bool npu_is_tie(std::int64_t v, int s) {
  return s > 0 && (v & ((std::int64_t{1} << s) - 1)) == (std::int64_t{1} << (s - 1));
}

// v brought into `bytes` bytes (1 .. 4): clamped, or the low bits reread as two's complement.
constexpr std::int64_t npu_saturate(std::int64_t v, int bytes) {
  const std::int64_t high = (std::int64_t{1} << (8 * bytes - 1)) - 1;
  return v > high ? high : v < -high - 1 ? -high - 1 : v;
}
constexpr std::int64_t npu_wrap(std::int64_t v, int bytes) {
  const std::int64_t size = std::int64_t{1} << (8 * bytes);
  const std::int64_t low = v & (size - 1);
  return low >= size / 2 ? low - size : low;
}

// Nearest integer, ties to even, of |v| < 2^53; NaN becomes 0. Software operations and inputs.
inline std::int64_t npu_nearest(double v) {
  return std::isnan(v) ? 0 : static_cast<std::int64_t>(std::nearbyint(v));
}

}  // namespace lockstep
