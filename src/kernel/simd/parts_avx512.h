#pragma once

// Vectors of bytes: of which only the first n count, and as what accumulators become. Included
// under the target of Avx512.

namespace lockstep {
namespace {

struct Avx512Parts {
  static __m512i load_part(const std::byte* p, std::int64_t n) {
    return n >= 64 ? _mm512_loadu_si512(p) : _mm512_maskz_loadu_epi8(mask(n), p);
  }
  static void store_part(std::byte* p, __m512i v, std::int64_t n) {
    if (n >= 64)
      _mm512_storeu_si512(p, v);
    else
      _mm512_mask_storeu_epi8(p, mask(n), v);
  }
  static std::int32_t sum(__m512i v) { return _mm512_reduce_add_epi32(v); }
  // 16 codes of 16 bits, or the first n.
  static __m512i load_16bit(const std::byte* p, std::int64_t n) {
    return _mm512_cvtepi16_epi32(
        n >= 16 ? _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p))
                : _mm256_maskz_loadu_epi16(static_cast<__mmask16>((1u << n) - 1), p));
  }
  static void store_16bit(std::byte* p, __m512i v, std::int64_t n) {
    if (n >= 16)
      _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), _mm512_cvtepi32_epi16(v));
    else
      _mm512_mask_cvtepi32_storeu_epi16(p, static_cast<__mmask16>((1u << n) - 1), v);
  }

  // Packing, within each 128 bits; words and sums of words saturate.
  using I = __m512i;
  static I set_words(std::int32_t v) { return _mm512_set1_epi16(static_cast<short>(v)); }
  static I words(I a, I b) { return _mm512_packs_epi32(a, b); }
  static I add_words(I a, I b) { return _mm512_adds_epi16(a, b); }
  static I signed_bytes(I a, I b) { return _mm512_packs_epi16(a, b); }
  static I unsigned_bytes(I a, I b) { return _mm512_packus_epi16(a, b); }
  static I clamp_signed(I v, std::int32_t low, std::int32_t high) {
    return _mm512_min_epi8(_mm512_max_epi8(v, set_bytes(low)), set_bytes(high));
  }
  static I clamp_unsigned(I v, std::int32_t low, std::int32_t high) {
    return _mm512_min_epu8(_mm512_max_epu8(v, set_bytes(low)), set_bytes(high));
  }
  // Bytes packed from four vectors, as they lay before.
  static I in_order(I v) {
    return _mm512_permutexvar_epi32(
        _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15), v);
  }
  static I set_bytes(std::int32_t v) { return _mm512_set1_epi8(static_cast<char>(v)); }

 private:
  static __mmask64 mask(std::int64_t n) { return (std::uint64_t{1} << n) - 1; }
};

// Unpacking within each 128 bits, and vectors of 1, 2 or 4 runs that lie `step` bytes apart.
struct Avx512Runs : Avx512Parts {
  static I bytes_low(I a, I b) { return _mm512_unpacklo_epi8(a, b); }
  static I bytes_high(I a, I b) { return _mm512_unpackhi_epi8(a, b); }
  static I words_low(I a, I b) { return _mm512_unpacklo_epi16(a, b); }
  static I words_high(I a, I b) { return _mm512_unpackhi_epi16(a, b); }
  template <int join>
  static I load(const std::byte* x, std::int64_t step) {
    if constexpr (join == 1) return _mm512_loadu_si512(x);
    if constexpr (join == 2)
      return _mm512_inserti64x4(
          _mm512_castsi256_si512(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(x))),
          _mm256_loadu_si256(reinterpret_cast<const __m256i*>(x + step)), 1);
    const auto part = [&](int k) {
      return _mm_loadu_si128(reinterpret_cast<const __m128i*>(x + k * step));
    };
    I v = _mm512_castsi128_si512(part(0));
    v = _mm512_inserti32x4(v, part(1), 1);
    v = _mm512_inserti32x4(v, part(2), 2);
    return _mm512_inserti32x4(v, part(3), 3);
  }
};

}  // namespace
}  // namespace lockstep
