#include "num/average_rows.h"

#pragma GCC push_options
#pragma GCC optimize("O3", "fp-contract=off")

namespace lockstep {
namespace {

template <class Code>
[[gnu::always_inline]] inline void add_codes(const std::byte* x, std::int64_t channels,
                                             const AverageScales& s, float* sums) {
  const auto* const code = reinterpret_cast<const Code*>(x);
  const auto scale = static_cast<float>(s.x_scale);
  const std::int32_t zero = s.x_zero;
  for (std::int64_t c = 0; c < channels; ++c)
    sums[c] = sums[c] + scale * static_cast<float>(code[c] - zero);
}
[[gnu::always_inline]] inline void to_codes(const float* sums, std::int32_t n,
                                            std::int64_t channels, const AverageScales& s,
                                            std::int32_t shift, std::byte* y) {
  constexpr float far = 1 << 24;
  const auto count = static_cast<float>(n), scale = static_cast<float>(s.y_scale),
             zero = static_cast<float>(s.y_zero);
  const std::int32_t low = s.low, high = s.high;
  for (std::int64_t c = 0; c < channels; ++c) {
    const float real = sums[c] / count / scale + zero;
    const float above = real < -far ? -far : real, near = above > far ? far : above;
    std::int32_t code = static_cast<std::int32_t>(__builtin_rintf(near));
    code = code < low ? low : code;
    code = code > high ? high : code;
    y[c] = static_cast<std::byte>(code - shift);
  }
}
[[gnu::always_inline]] inline void add_any(const AverageOfReals& a, const std::byte* x,
                                           std::int64_t channels, float* sums) {
  a.is_signed ? add_codes<std::int8_t>(x, channels, a.scales, sums)
              : add_codes<std::uint8_t>(x, channels, a.scales, sums);
}
#if defined(__x86_64__)
[[gnu::target("avx2")]] void add_avx2(const AverageOfReals& a, const std::byte* x,
                                      std::int64_t channels, float* sums) {
  add_any(a, x, channels, sums);
}
[[gnu::target("avx2")]] void to_codes_avx2(const float* sums, std::int32_t n, std::int64_t channels,
                                           const AverageScales& s, std::int32_t shift,
                                           std::byte* y) {
  to_codes(sums, n, channels, s, shift, y);
}
#endif

}  // namespace

void AverageOfReals::add(const std::byte* x, std::int64_t channels, float* sums) const {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx2")) return add_avx2(*this, x, channels, sums);
#endif
  add_any(*this, x, channels, sums);
}
void AverageOfReals::finish(const float* sums, std::int32_t n, std::int64_t channels,
                            std::byte* y) const {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx2")) return to_codes_avx2(sums, n, channels, scales, shift, y);
#endif
  to_codes(sums, n, channels, scales, shift, y);
}

}  // namespace lockstep

#pragma GCC pop_options
