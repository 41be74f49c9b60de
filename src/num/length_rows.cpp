#include "num/length_rows.h"

#include <algorithm>
#include <limits>

#include "num/tflite_fixed.h"
#include "num/tflite_functions.h"

#pragma GCC push_options
#pragma GCC optimize("O3")

namespace lockstep {
namespace {

// A row's multiplier, and how far its codes are shifted up before and down behind it.
struct Step {
  std::int32_t multiplier = 0;
  int up = 0, down = 0;
};

template <class Code>
[[gnu::always_inline]] inline std::int32_t squares_of(const Code* x, const LengthRows& r) {
  std::int32_t sum = 0;
  const std::int32_t zero = r.x_zero;
  for (std::int64_t i = 0; i < r.count; ++i) sum += (x[i] - zero) * (x[i] - zero);
  return sum;
}

// Codes are at most 255 from the zero point: no product saturates.
template <class Code>
[[gnu::always_inline]] inline void codes_of(const Code* x, Code* y, const LengthRows& r,
                                            const Step& s) {
  constexpr std::int32_t low = std::numeric_limits<Code>::min(),
                         high = std::numeric_limits<Code>::max(), half = low == 0 ? 128 : 0;
  const std::int64_t multiplier = s.multiplier;
  const std::int32_t zero = r.x_zero,
                     mask = static_cast<std::int32_t>((std::int64_t{1} << s.down) - 1),
                     threshold = mask >> 1;
  for (std::int64_t i = 0; i < r.count; ++i) {
    const std::int32_t d = (x[i] - zero) << s.up;
    const auto product =
        static_cast<std::int32_t>((d * multiplier + (std::int64_t{1} << 30)) >> 31);
    const std::int32_t rest = product & mask, above = threshold + (product < 0 ? 1 : 0);
    std::int32_t code = (product >> s.down) + (rest > above ? 1 : 0) + half;
    code = code < low ? low : code;
    y[i] = static_cast<Code>(code > high ? high : code);
  }
}

template <class Code>
[[gnu::always_inline]] inline void all(const LengthRows& r, const std::byte* x, std::byte* y,
                                       std::int64_t rows) {
  for (std::int64_t i = 0; i < rows; ++i, x += r.count, y += r.count) {
    const auto* const from = reinterpret_cast<const Code*>(x);
    std::int32_t multiplier = 0;
    int shift = 0;
    inverse_sqrt(squares_of(from, r), multiplier, shift);
    const bool is_unsigned = sizeof(Code) == 1 && r.is_unsigned;
    const int left = is_unsigned ? 7 : std::max(0, shift + 7);
    const int right = is_unsigned ? -shift : std::max(0, -(shift + 7));
    codes_of(from, reinterpret_cast<Code*>(y), r, {multiplier, left, right});
  }
}

using Run = void (*)(const LengthRows&, const std::byte*, std::byte*, std::int64_t);

template <class Code>
void portable(const LengthRows& r, const std::byte* x, std::byte* y, std::int64_t rows) {
  all<Code>(r, x, y, rows);
}
#if defined(__x86_64__)
template <class Code>
[[gnu::target("avx2")]] void by_avx2(const LengthRows& r, const std::byte* x, std::byte* y,
                                     std::int64_t rows) {
  all<Code>(r, x, y, rows);
}
template <class Code>
[[gnu::target("avx512f,avx512bw,avx512dq,avx512vl,prefer-vector-width=512")]] void by_avx512(
    const LengthRows& r, const std::byte* x, std::byte* y, std::int64_t rows) {
  all<Code>(r, x, y, rows);
}
#endif

template <class Code>
Run pick() {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
      __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl"))
    return by_avx512<Code>;
  if (__builtin_cpu_supports("avx2")) return by_avx2<Code>;
#endif
  return portable<Code>;
}

}  // namespace

void length_rows(const LengthRows& rows, const std::byte* x, std::byte* y, std::int64_t count) {
  static const Run of_signed = pick<std::int8_t>(), of_unsigned = pick<std::uint8_t>();
  (rows.is_unsigned ? of_unsigned : of_signed)(rows, x, y, count);
}

}  // namespace lockstep

#pragma GCC pop_options
