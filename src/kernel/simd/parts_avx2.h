#pragma once

// Vectors of bytes: of which only the first n count, and as what accumulators become. Included
// under the target of Avx2.

namespace lockstep {
namespace {

struct Avx2Parts {
  static __m256i load_part(const std::byte* p, std::int64_t n) {
    if (n >= 32) return Avx2::load(p);
    alignas(32) std::byte all[32] = {};
    std::memcpy(all, p, static_cast<std::size_t>(n));
    return Avx2::load(all);
  }
  static void store_part(std::byte* p, __m256i v, std::int64_t n) {
    if (n >= 32) return Avx2::store(p, v);
    alignas(32) std::byte all[32];
    Avx2::store(all, v);
    std::memcpy(p, all, static_cast<std::size_t>(n));
  }
  // 8 codes of 16 bits, or the first n.
  static __m256i load_16bit(const std::byte* p, std::int64_t n) {
    alignas(16) std::byte all[16] = {};
    if (n < 8) std::memcpy(all, p, static_cast<std::size_t>(2 * n));
    return _mm256_cvtepi16_epi32(
        _mm_loadu_si128(reinterpret_cast<const __m128i*>(n < 8 ? all : p)));
  }
  static void store_16bit(std::byte* p, __m256i v, std::int64_t n) {
    const __m256i pairs = _mm256_permute4x64_epi64(_mm256_packs_epi32(v, v), 0x08);
    const __m128i codes = _mm256_castsi256_si128(pairs);
    if (n >= 8) return _mm_storeu_si128(reinterpret_cast<__m128i*>(p), codes);
    alignas(16) std::byte all[16];
    _mm_store_si128(reinterpret_cast<__m128i*>(all), codes);
    std::memcpy(p, all, static_cast<std::size_t>(2 * n));
  }
  // The low 8 bytes of each 128 bits, n of them.
  static void store_halves(std::byte* p, __m256i v, std::int64_t n) {
    const __m128i both =
        _mm_unpacklo_epi64(_mm256_castsi256_si128(v), _mm256_extracti128_si256(v, 1));
    if (n >= 16) return _mm_storeu_si128(reinterpret_cast<__m128i*>(p), both);
    alignas(16) std::byte all[16];
    _mm_store_si128(reinterpret_cast<__m128i*>(all), both);
    std::memcpy(p, all, static_cast<std::size_t>(n));
  }
  static std::int32_t sum(__m256i v) {
    const __m128i four = _mm_add_epi32(_mm256_castsi256_si128(v), _mm256_extracti128_si256(v, 1)),
                  two = _mm_add_epi32(four, _mm_unpackhi_epi64(four, four));
    return _mm_cvtsi128_si32(_mm_add_epi32(two, _mm_srli_epi64(two, 32)));
  }

  // Packing, within each 128 bits; words and sums of words saturate.
  using I = __m256i;
  static I set_words(std::int32_t v) { return _mm256_set1_epi16(static_cast<short>(v)); }
  static I sub_words(I a, I b) { return _mm256_sub_epi16(a, b); }
  static I load_words(const std::byte* x, bool is_signed) {
    const __m128i codes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(x));
    return is_signed ? _mm256_cvtepi8_epi16(codes) : _mm256_cvtepu8_epi16(codes);
  }
  static I words(I a, I b) { return _mm256_packs_epi32(a, b); }
  static I add_words(I a, I b) { return _mm256_adds_epi16(a, b); }
  static I signed_bytes(I a, I b) { return _mm256_packs_epi16(a, b); }
  static I unsigned_bytes(I a, I b) { return _mm256_packus_epi16(a, b); }
  static I clamp_signed(I v, std::int32_t low, std::int32_t high) {
    return _mm256_min_epi8(_mm256_max_epi8(v, set_bytes(low)), set_bytes(high));
  }
  static I clamp_unsigned(I v, std::int32_t low, std::int32_t high) {
    return _mm256_min_epu8(_mm256_max_epu8(v, set_bytes(low)), set_bytes(high));
  }
  // Bytes packed from four vectors, as they lay before.
  static I in_order(I v) {
    return _mm256_permutevar8x32_epi32(v, _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7));
  }
  static I set_bytes(std::int32_t v) { return _mm256_set1_epi8(static_cast<char>(v)); }
};

// Unpacking within each 128 bits, and vectors of 1, 2 or 4 runs that lie `step` bytes apart.
struct Avx2Runs : Avx2Parts {
  static I bytes_low(I a, I b) { return _mm256_unpacklo_epi8(a, b); }
  static I bytes_high(I a, I b) { return _mm256_unpackhi_epi8(a, b); }
  static I words_low(I a, I b) { return _mm256_unpacklo_epi16(a, b); }
  static I words_high(I a, I b) { return _mm256_unpackhi_epi16(a, b); }
  template <int join>
  static I load(const std::byte* x, std::int64_t step) {
    if constexpr (join == 1) {
      return Avx2::load(x);
    } else if constexpr (join == 2) {
      const auto part = [&](int k) {
        return _mm_loadu_si128(reinterpret_cast<const __m128i*>(x + k * step));
      };
      return _mm256_inserti128_si256(_mm256_castsi128_si256(part(0)), part(1), 1);
    } else {
      const auto part = [&](int k) {
        std::int64_t eight;
        std::memcpy(&eight, x + k * step, 8);
        return eight;
      };
      return _mm256_setr_epi64x(part(0), part(1), part(2), part(3));
    }
  }
};

}  // namespace
}  // namespace lockstep
