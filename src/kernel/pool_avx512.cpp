// Poolings, 64 channels of bytes or 16 of reals at once.
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"  // gcc 12 warns inside its own header
#include <immintrin.h>

#include <cstring>

#include "kernel/kernel_pool.h"

#pragma GCC push_options
#pragma GCC target("avx2,fma,avx512f,avx512bw,avx512dq,avx512vl")
#include "num/simd/avx512.h"

#include "kernel/simd/sums.h"

namespace lockstep {
namespace {

template <bool is_signed>
__m512i greater(__m512i a, __m512i b) {
  return is_signed ? _mm512_max_epi8(a, b) : _mm512_max_epu8(a, b);
}

template <bool is_signed>
void greatest_bytes(const PoolPosition& p) {
  const __m512i low = _mm512_set1_epi8(static_cast<char>(p.low)),
                high = _mm512_set1_epi8(static_cast<char>(p.high));
  for (std::int64_t c = 0; c < p.channels; c += 64) {
    const __mmask64 mask =
        p.channels - c >= 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << (p.channels - c)) - 1;
    __m512i best = is_signed ? _mm512_set1_epi8(-128) : _mm512_setzero_si512();
    for (std::int64_t t = 0; t < p.count; ++t)
      best = greater<is_signed>(best, _mm512_maskz_loadu_epi8(mask, p.taps[t] + c));
    best = greater<is_signed>(best, low);
    best = is_signed ? _mm512_min_epi8(best, high) : _mm512_min_epu8(best, high);
    _mm512_mask_storeu_epi8(p.out + c, mask, best);
  }
}

// The first of the greatest: a later value must be greater.
void greatest_reals(const PoolPosition& p) {
  for (std::int64_t c = 0; c < p.channels; c += 16) {
    const auto mask =
        static_cast<__mmask16>(p.channels - c >= 16 ? 0xffff : (1u << (p.channels - c)) - 1);
    __m512 best = p.count > 0 ? _mm512_maskz_loadu_ps(mask, p.taps[0] + 4 * c)
                              : _mm512_set1_ps(-3.402823466e+38f);
    for (std::int64_t t = 1; t < p.count; ++t) {
      const __m512 v = _mm512_maskz_loadu_ps(mask, p.taps[t] + 4 * c);
      best = _mm512_mask_mov_ps(best, _mm512_cmp_ps_mask(v, best, _CMP_GT_OQ), v);
    }
    _mm512_mask_storeu_ps(p.out + 4 * c, mask, best);
  }
}

constexpr PoolSet set = {greatest_bytes<true>, greatest_bytes<false>, greatest_reals,
                         sum_codes<Avx512>};

}  // namespace
}  // namespace lockstep
#pragma GCC pop_options

namespace lockstep {
namespace {

constexpr std::string_view ops[] = {"MaxPool", "AveragePool", "GlobalAveragePool"};

}  // namespace

extern constinit const Kernel kernel_pool_avx512 = {
    .name = "pool_avx512",
    .ops = ops,
    .isa = Isa::avx512,
    .speed = 16,
    .meaning = "poolings, 64 channels of codes or 16 of reals at once",
    .order = Order::channels_last,
    .fits = pool_fits,
    .prepare = [](const KernelProblem& p) { return prepare_pool(p, set); },
};

}  // namespace lockstep
