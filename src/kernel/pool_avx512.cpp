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

constexpr int at_once = 4;  // vectors whose taps are met together

template <bool is_signed>
struct OfBytes {
  using V = __m512i;
  static constexpr std::int64_t lanes = 64;
  static V start(const PoolPosition&, std::int64_t, __mmask64) {
    return is_signed ? _mm512_set1_epi8(-128) : _mm512_setzero_si512();
  }
  static V load(const std::byte* x) { return _mm512_loadu_si512(x); }
  static V load(const std::byte* x, __mmask64 mask) { return _mm512_maskz_loadu_epi8(mask, x); }
  static void store(std::byte* y, V v, __mmask64 mask) { _mm512_mask_storeu_epi8(y, mask, v); }
  static V meet(V v, V best) { return greater<is_signed>(v, best); }
  static V cut(V best, const PoolPosition& p) {
    best = greater<is_signed>(best, _mm512_set1_epi8(static_cast<char>(p.low)));
    const V high = _mm512_set1_epi8(static_cast<char>(p.high));
    return is_signed ? _mm512_min_epi8(best, high) : _mm512_min_epu8(best, high);
  }
};

// The first of the greatest: a later value must be greater. The instruction keeps its second
// operand where neither is.
struct OfReals {
  using V = __m512;
  static constexpr std::int64_t lanes = 16;
  static V start(const PoolPosition& p, std::int64_t at, __mmask64 mask) {
    return p.count > 0 ? load(p.taps[0] + at, mask) : _mm512_set1_ps(-3.402823466e+38f);
  }
  static V load(const std::byte* x) { return _mm512_loadu_ps(x); }
  static V load(const std::byte* x, __mmask64 mask) {
    return _mm512_maskz_loadu_ps(static_cast<__mmask16>(mask), x);
  }
  static void store(std::byte* y, V v, __mmask64 mask) {
    _mm512_mask_storeu_ps(y, static_cast<__mmask16>(mask), v);
  }
  static V meet(V v, V best) { return _mm512_max_ps(v, best); }
  static V cut(V best, const PoolPosition&) { return best; }
};

template <class Of>
void greatest(const PoolPosition& p) {
  constexpr std::int64_t bytes = 64;
  constexpr __mmask64 all = ~__mmask64{0} >> (64 - Of::lanes);
  std::int64_t c = 0;
  for (; c + at_once * Of::lanes <= p.channels; c += at_once * Of::lanes) {
    const std::int64_t at = c / Of::lanes * bytes;
    typename Of::V best[at_once];
#pragma GCC unroll 4
    for (int i = 0; i < at_once; ++i) best[i] = Of::start(p, at + i * bytes, all);
    for (std::int64_t t = 0; t < p.count; ++t)
#pragma GCC unroll 4
      for (int i = 0; i < at_once; ++i)
        best[i] = Of::meet(Of::load(p.taps[t] + at + i * bytes), best[i]);
#pragma GCC unroll 4
    for (int i = 0; i < at_once; ++i) Of::store(p.out + at + i * bytes, Of::cut(best[i], p), all);
  }
  for (; c < p.channels; c += Of::lanes) {
    const std::int64_t left = p.channels - c, at = c / Of::lanes * bytes;
    const __mmask64 mask = left >= Of::lanes ? all : (__mmask64{1} << left) - 1;
    auto best = Of::start(p, at, mask);
    for (std::int64_t t = 0; t < p.count; ++t)
      best = Of::meet(Of::load(p.taps[t] + at, mask), best);
    Of::store(p.out + at, Of::cut(best, p), mask);
  }
}

constexpr PoolSet set = {greatest<OfBytes<true>>, greatest<OfBytes<false>>, greatest<OfReals>,
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
