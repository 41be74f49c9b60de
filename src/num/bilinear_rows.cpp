#include "num/bilinear_rows.h"

#pragma GCC push_options
#pragma GCC optimize("O3")

namespace lockstep {
namespace {

template <class Code>
[[gnu::always_inline]] inline void mix_rows(const std::byte* first, const std::byte* second,
                                            std::int32_t share, std::int64_t count,
                                            std::int32_t* to) {
  const auto* const a = reinterpret_cast<const Code*>(first);
  const auto* const b = reinterpret_cast<const Code*>(second);
  for (std::int64_t i = 0; i < count; ++i) to[i] = a[i] * 2048 + (b[i] - a[i]) * share;
}

// Sums stay below 2^31: two shares of 2^11 and the difference of two codes.
[[gnu::always_inline]] inline void mix_columns(const std::int32_t* a, const std::int32_t* b,
                                               std::int32_t share, std::int64_t count,
                                               std::byte* to) {
  for (std::int64_t k = 0; k < count; k += BilinearSteps::block) {
    std::int8_t out[BilinearSteps::block];
    for (std::int64_t i = 0; i < BilinearSteps::block; ++i)
      out[i] = static_cast<std::int8_t>(
          (a[k + i] * 2048 + (b[k + i] - a[k + i]) * share + (1 << 21)) >> 22);
    __builtin_memcpy(to + k, out, sizeof out);
  }
}

template <class Code>
void rows_portable(const std::byte* a, const std::byte* b, std::int32_t share, std::int64_t count,
                   std::int32_t* to) {
  mix_rows<Code>(a, b, share, count, to);
}
void columns_portable(const std::int32_t* a, const std::int32_t* b, std::int32_t share,
                      std::int64_t count, std::byte* to) {
  mix_columns(a, b, share, count, to);
}
#if defined(__x86_64__)
template <class Code>
[[gnu::target("avx2")]] void rows_avx2(const std::byte* a, const std::byte* b, std::int32_t share,
                                       std::int64_t count, std::int32_t* to) {
  mix_rows<Code>(a, b, share, count, to);
}
[[gnu::target("avx2")]] void columns_avx2(const std::int32_t* a, const std::int32_t* b,
                                          std::int32_t share, std::int64_t count, std::byte* to) {
  mix_columns(a, b, share, count, to);
}
[[gnu::target("avx512f,avx512bw,avx512dq,avx512vl,prefer-vector-width=512")]] void columns_avx512(
    const std::int32_t* a, const std::int32_t* b, std::int32_t share, std::int64_t count,
    std::byte* to) {
  mix_columns(a, b, share, count, to);
}
#endif

template <class Code>
BilinearSteps fastest() {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
      __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl"))
    return {rows_avx2<Code>, columns_avx512};
  if (__builtin_cpu_supports("avx2")) return {rows_avx2<Code>, columns_avx2};
#endif
  return {rows_portable<Code>, columns_portable};
}

}  // namespace

BilinearSteps xnnpack_bilinear_steps(bool is_signed) {
  return is_signed ? fastest<std::int8_t>() : fastest<std::uint8_t>();
}

}  // namespace lockstep

#pragma GCC pop_options
