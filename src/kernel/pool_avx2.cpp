// Poolings, 32 channels of bytes or 8 of reals at once.
#include <immintrin.h>

#include <cstring>

#include "kernel/kernel_pool.h"

#pragma GCC push_options
#pragma GCC target("avx2,fma")
#include "num/simd/avx2.h"

#include "kernel/simd/sums.h"

namespace lockstep {
namespace {

__m256i load(const std::byte* x) {
  return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(x));
}
template <bool is_signed>
__m256i greater(__m256i a, __m256i b) {
  return is_signed ? _mm256_max_epi8(a, b) : _mm256_max_epu8(a, b);
}

template <bool is_signed>
void greatest_bytes(const PoolPosition& p) {
  using Code = std::conditional_t<is_signed, std::int8_t, std::uint8_t>;
  const __m256i low = _mm256_set1_epi8(static_cast<char>(p.low)),
                high = _mm256_set1_epi8(static_cast<char>(p.high));
  std::int64_t c = 0;
  for (; c + 32 <= p.channels; c += 32) {
    __m256i best = low;
    for (std::int64_t t = 0; t < p.count; ++t) best = greater<is_signed>(best, load(p.taps[t] + c));
    best = is_signed ? _mm256_min_epi8(best, high) : _mm256_min_epu8(best, high);
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(p.out + c), best);
  }
  for (; c < p.channels; ++c) {
    auto best = static_cast<Code>(p.low);
    for (std::int64_t t = 0; t < p.count; ++t) {
      const auto v = static_cast<Code>(p.taps[t][c]);
      best = v > best ? v : best;
    }
    p.out[c] =
        static_cast<std::byte>(best > static_cast<Code>(p.high) ? static_cast<Code>(p.high) : best);
  }
}

// The first of the greatest: a later value must be greater.
void greatest_reals(const PoolPosition& p) {
  const auto at = [&](std::int64_t t, std::int64_t c) {
    return reinterpret_cast<const float*>(p.taps[t])[c];
  };
  auto* const out = reinterpret_cast<float*>(p.out);
  std::int64_t c = 0;
  for (; c + 8 <= p.channels && p.count > 0; c += 8) {
    __m256 best = _mm256_loadu_ps(reinterpret_cast<const float*>(p.taps[0]) + c);
    for (std::int64_t t = 1; t < p.count; ++t) {
      const __m256 v = _mm256_loadu_ps(reinterpret_cast<const float*>(p.taps[t]) + c);
      best = _mm256_blendv_ps(best, v, _mm256_cmp_ps(v, best, _CMP_GT_OQ));
    }
    _mm256_storeu_ps(out + c, best);
  }
  for (; c < p.channels; ++c) {
    float best = p.count > 0 ? at(0, c) : -3.402823466e+38f;
    for (std::int64_t t = 1; t < p.count; ++t) best = at(t, c) > best ? at(t, c) : best;
    out[c] = best;
  }
}

constexpr PoolSet set = {greatest_bytes<true>, greatest_bytes<false>, greatest_reals,
                         sum_codes<Avx2>};

}  // namespace
}  // namespace lockstep
#pragma GCC pop_options

namespace lockstep {
namespace {

constexpr std::string_view ops[] = {"MaxPool", "AveragePool", "GlobalAveragePool"};

}  // namespace

extern constinit const Kernel kernel_pool_avx2 = {
    .name = "pool_avx2",
    .ops = ops,
    .isa = Isa::avx2,
    .speed = 8,
    .meaning = "poolings, 32 channels of codes or 8 of reals at once",
    .order = Order::channels_last,
    .fits = pool_fits,
    .prepare = [](const KernelProblem& p) { return prepare_pool(p, set); },
};

}  // namespace lockstep
