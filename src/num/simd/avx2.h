#pragma once

// Included under `#pragma GCC target("avx2,fma,...")`, after <immintrin.h> and <cstring>.

namespace lockstep {
namespace {

// Eight 32-bit lanes.
struct Avx2 {
  static constexpr int lanes = 8;
  using I = __m256i;
  using F = __m256;
  static I zero() { return _mm256_setzero_si256(); }
  static I load(const void* p) { return _mm256_loadu_si256(static_cast<const __m256i*>(p)); }
  static void store(void* p, I v) { _mm256_storeu_si256(static_cast<__m256i*>(p), v); }
  static I set(std::int32_t v) { return _mm256_set1_epi32(v); }
  static I add(I a, I b) { return _mm256_add_epi32(a, b); }
  static I sub(I a, I b) { return _mm256_sub_epi32(a, b); }
  static I mul(I a, I b) { return _mm256_mullo_epi32(a, b); }
  static I bit_and(I a, I b) { return _mm256_and_si256(a, b); }
  static I bit_xor(I a, I b) { return _mm256_xor_si256(a, b); }
  static I least(I a, I b) { return _mm256_min_epi32(a, b); }
  static I greatest(I a, I b) { return _mm256_max_epi32(a, b); }
  static I shift_left(I v, I by) { return _mm256_sllv_epi32(v, by); }
  static I shift_right(I v, I by) { return _mm256_srav_epi32(v, by); }
  // a + (b > c ? 1 : 0)
  static I add_if_greater(I a, I b, I c) { return _mm256_sub_epi32(a, _mm256_cmpgt_epi32(b, c)); }
  // (low 32 bits of) (a * b + 2^30) >> 31 in each lane
  static I high_mul(I a, I b) {
    const I half = _mm256_set1_epi64x(std::int64_t{1} << 30);
    const I even = _mm256_srli_epi64(_mm256_add_epi64(_mm256_mul_epi32(a, b), half), 31);
    const I odd = _mm256_srli_epi64(
        _mm256_add_epi64(_mm256_mul_epi32(_mm256_srli_epi64(a, 32), _mm256_srli_epi64(b, 32)),
                         half),
        31);
    return _mm256_blend_epi32(even, _mm256_slli_epi64(odd, 32), 0xaa);
  }
  static F load_f(const float* p) { return _mm256_loadu_ps(p); }
  static void store_f(float* p, F v) { _mm256_storeu_ps(p, v); }
  static F load_f(const float* p, std::int64_t n) { return _mm256_maskload_ps(p, mask(n)); }
  static void store_f(float* p, F v, std::int64_t n) { _mm256_maskstore_ps(p, mask(n), v); }
  static F set_f(float v) { return _mm256_set1_ps(v); }
  static F real(I v) { return _mm256_cvtepi32_ps(v); }
  static F mul_f(F a, F b) { return _mm256_mul_ps(a, b); }
  static F add_f(F a, F b) { return _mm256_add_ps(a, b); }
  static F sub_f(F a, F b) { return _mm256_sub_ps(a, b); }
  static F div_f(F a, F b) { return _mm256_div_ps(a, b); }
  static F fma(F a, F b, F c) { return _mm256_fmadd_ps(a, b, c); }
  static F least_f(F a, F b) { return _mm256_min_ps(a, b); }
  static F greatest_f(F a, F b) { return _mm256_max_ps(a, b); }
  // 32-bit integers nearest to v, ties to even; inside int32.
  static I nearest_even(F v) { return _mm256_cvtps_epi32(v); }
  // v where it is a number, else other
  static F number_or(F v, F other) {
    return _mm256_blendv_ps(other, v, _mm256_cmp_ps(v, v, _CMP_ORD_Q));
  }
  // Low bytes of the lanes, the first n of them.
  static void store_bytes(std::byte* p, I v, std::int64_t n) {
    const I low = _mm256_shuffle_epi8(
        v, _mm256_setr_epi8(0, 4, 8, 12, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, 0, 4, 8,
                            12, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1));
    const __m128i both =
        _mm_unpacklo_epi32(_mm256_castsi256_si128(low), _mm256_extracti128_si256(low, 1));
    if (n >= lanes) {
      _mm_storel_epi64(reinterpret_cast<__m128i*>(p), both);
    } else {
      const std::int64_t bytes = _mm_cvtsi128_si64(both);
      std::memcpy(p, &bytes, static_cast<std::size_t>(n));
    }
  }
  static I load_unsigned_bytes(const std::byte* p, std::int64_t n) {
    return _mm256_cvtepu8_epi32(eight(p, n));
  }
  static I load_signed_bytes(const std::byte* p, std::int64_t n) {
    return _mm256_cvtepi8_epi32(eight(p, n));
  }

 private:
  static __m128i eight(const std::byte* p, std::int64_t n) {
    if (n >= lanes) return _mm_loadl_epi64(reinterpret_cast<const __m128i*>(p));
    std::int64_t bytes = 0;
    std::memcpy(&bytes, p, static_cast<std::size_t>(n));
    return _mm_cvtsi64_si128(bytes);
  }
  static I mask(std::int64_t n) {
    return _mm256_cmpgt_epi32(_mm256_set1_epi32(static_cast<int>(n < 8 ? n : 8)),
                              _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
  }
};

}  // namespace
}  // namespace lockstep
