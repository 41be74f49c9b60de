#pragma once

// Included under `#pragma GCC target("avx512f,avx512bw,avx512dq,avx512vl,...")`, after
// <immintrin.h>.

namespace lockstep {
namespace {

// Sixteen 32-bit lanes.
struct Avx512 {
  static constexpr int lanes = 16;
  using I = __m512i;
  using F = __m512;
  static I zero() { return _mm512_setzero_si512(); }
  static I load(const void* p) { return _mm512_loadu_si512(p); }
  static void store(void* p, I v) { _mm512_storeu_si512(p, v); }
  static I set(std::int32_t v) { return _mm512_set1_epi32(v); }
  static I add(I a, I b) { return _mm512_add_epi32(a, b); }
  static I sub(I a, I b) { return _mm512_sub_epi32(a, b); }
  static I mul(I a, I b) { return _mm512_mullo_epi32(a, b); }
  static I bit_and(I a, I b) { return _mm512_and_si512(a, b); }
  static I bit_xor(I a, I b) { return _mm512_xor_si512(a, b); }
  static I least(I a, I b) { return _mm512_min_epi32(a, b); }
  static I greatest(I a, I b) { return _mm512_max_epi32(a, b); }
  static I shift_left(I v, I by) { return _mm512_sllv_epi32(v, by); }
  static I shift_right(I v, I by) { return _mm512_srav_epi32(v, by); }
  // a + (b > c ? 1 : 0)
  static I add_if_greater(I a, I b, I c) {
    return _mm512_mask_add_epi32(a, _mm512_cmpgt_epi32_mask(b, c), a, _mm512_set1_epi32(1));
  }
  // (low 32 bits of) (a * b + 2^30) >> 31 in each lane
  static I high_mul(I a, I b) {
    const I half = _mm512_set1_epi64(std::int64_t{1} << 30);
    const I even = _mm512_srli_epi64(_mm512_add_epi64(_mm512_mul_epi32(a, b), half), 31);
    const I odd = _mm512_srli_epi64(
        _mm512_add_epi64(_mm512_mul_epi32(_mm512_srli_epi64(a, 32), _mm512_srli_epi64(b, 32)),
                         half),
        31);
    return _mm512_mask_blend_epi32(0xaaaa, even, _mm512_slli_epi64(odd, 32));
  }
  static F load_f(const float* p) { return _mm512_loadu_ps(p); }
  static void store_f(float* p, F v) { _mm512_storeu_ps(p, v); }
  static F load_f(const float* p, std::int64_t n) { return _mm512_maskz_loadu_ps(mask(n), p); }
  static void store_f(float* p, F v, std::int64_t n) { _mm512_mask_storeu_ps(p, mask(n), v); }
  static F set_f(float v) { return _mm512_set1_ps(v); }
  static F real(I v) { return _mm512_cvtepi32_ps(v); }
  static F mul_f(F a, F b) { return _mm512_mul_ps(a, b); }
  static F add_f(F a, F b) { return _mm512_add_ps(a, b); }
  static F sub_f(F a, F b) { return _mm512_sub_ps(a, b); }
  static F div_f(F a, F b) { return _mm512_div_ps(a, b); }
  static F fma(F a, F b, F c) { return _mm512_fmadd_ps(a, b, c); }
  static F least_f(F a, F b) { return _mm512_min_ps(a, b); }
  static F greatest_f(F a, F b) { return _mm512_max_ps(a, b); }
  // 32-bit integers nearest to v, ties to even; inside int32.
  static I nearest_even(F v) { return _mm512_cvtps_epi32(v); }
  // v where it is a number, else other
  static F number_or(F v, F other) {
    return _mm512_mask_blend_ps(_mm512_cmp_ps_mask(v, v, _CMP_ORD_Q), other, v);
  }
  // Low bytes of the lanes, the first n of them.
  static void store_bytes(std::byte* p, I v, std::int64_t n) {
    if (n >= lanes)
      _mm_storeu_si128(reinterpret_cast<__m128i*>(p), _mm512_cvtepi32_epi8(v));
    else
      _mm512_mask_cvtepi32_storeu_epi8(p, mask(n), v);
  }
  static I load_unsigned_bytes(const std::byte* p, std::int64_t n) {
    return _mm512_cvtepu8_epi32(n >= lanes ? _mm_loadu_si128(reinterpret_cast<const __m128i*>(p))
                                           : _mm_maskz_loadu_epi8(mask(n), p));
  }
  static I load_signed_bytes(const std::byte* p, std::int64_t n) {
    return _mm512_cvtepi8_epi32(n >= lanes ? _mm_loadu_si128(reinterpret_cast<const __m128i*>(p))
                                           : _mm_maskz_loadu_epi8(mask(n), p));
  }

 private:
  static __mmask16 mask(std::int64_t n) {
    return n >= 16 ? __mmask16(0xffff) : static_cast<__mmask16>((1u << n) - 1);
  }
};

}  // namespace
}  // namespace lockstep
