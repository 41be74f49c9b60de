#include "kernel/kernel_transpose.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include <algorithm>

namespace lockstep {
namespace {

template <class T>
void portable(const T* from, T* to, const Transposition& t, std::int64_t r0, std::int64_t r1,
              std::int64_t c0, std::int64_t c1) {
  for (std::int64_t c = c0; c < c1; ++c)
    for (std::int64_t r = r0; r < r1; ++r) to[c * t.to_step + r] = from[r * t.from_step + c];
}

// Whole blocks of `side` x `side` by `block`, what remains element by element. Lines far apart
// share a place in the nearest cache: of the side whose lines are, 64 bytes of each are done with
// at once.
template <class T, class Block>
void by_blocks(const T* from, T* to, const Transposition& t, std::int64_t side, Block&& block) {
  const std::int64_t whole_rows = t.rows / side * side, whole_columns = t.columns / side * side;
  constexpr std::int64_t strip = 64 / static_cast<std::int64_t>(sizeof(T));
  const auto one = [&](std::int64_t r, std::int64_t c) {
    block(from + r * t.from_step + c, t.from_step, to + c * t.to_step + r, t.to_step);
  };
  if (t.to_step >= t.from_step) {
    for (std::int64_t first = 0; first < whole_rows; first += strip)
      for (std::int64_t c = 0; c < whole_columns; c += side)
        for (std::int64_t r = first; r < std::min(whole_rows, first + strip); r += side) one(r, c);
  } else {
    for (std::int64_t first = 0; first < whole_columns; first += strip)
      for (std::int64_t r = 0; r < whole_rows; r += side)
        for (std::int64_t c = first; c < std::min(whole_columns, first + strip); c += side)
          one(r, c);
  }
  portable(from, to, t, whole_rows, t.rows, 0, t.columns);
  portable(from, to, t, 0, whole_rows, whole_columns, t.columns);
}

#if defined(__x86_64__)
// 16 x 16 bytes: four rounds of unpacking, each twice as wide.
[[gnu::target("sse2")]] void bytes_16(const std::byte* from, std::int64_t step, std::byte* to,
                                      std::int64_t to_step) {
  __m128i a[16], b[16];
#pragma GCC unroll 16
  for (int i = 0; i < 16; ++i)
    a[i] = _mm_loadu_si128(reinterpret_cast<const __m128i*>(from + i * step));
#pragma GCC unroll 16
  for (int i = 0; i < 8; ++i)
    b[2 * i] = _mm_unpacklo_epi8(a[i], a[i + 8]), b[2 * i + 1] = _mm_unpackhi_epi8(a[i], a[i + 8]);
#pragma GCC unroll 16
  for (int i = 0; i < 8; ++i)
    a[2 * i] = _mm_unpacklo_epi8(b[i], b[i + 8]), a[2 * i + 1] = _mm_unpackhi_epi8(b[i], b[i + 8]);
#pragma GCC unroll 16
  for (int i = 0; i < 8; ++i)
    b[2 * i] = _mm_unpacklo_epi8(a[i], a[i + 8]), b[2 * i + 1] = _mm_unpackhi_epi8(a[i], a[i + 8]);
#pragma GCC unroll 16
  for (int i = 0; i < 8; ++i) {
    _mm_storeu_si128(reinterpret_cast<__m128i*>(to + 2 * i * to_step),
                     _mm_unpacklo_epi8(b[i], b[i + 8]));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(to + (2 * i + 1) * to_step),
                     _mm_unpackhi_epi8(b[i], b[i + 8]));
  }
}

// 4 x 4 words of 32 bits.
[[gnu::target("sse2")]] void words_4(const std::uint32_t* from, std::int64_t step,
                                     std::uint32_t* to, std::int64_t to_step) {
  const auto row = [&](int i) {
    return _mm_loadu_si128(reinterpret_cast<const __m128i*>(from + i * step));
  };
  const __m128i a = _mm_unpacklo_epi32(row(0), row(1)), b = _mm_unpackhi_epi32(row(0), row(1)),
                c = _mm_unpacklo_epi32(row(2), row(3)), d = _mm_unpackhi_epi32(row(2), row(3));
  _mm_storeu_si128(reinterpret_cast<__m128i*>(to), _mm_unpacklo_epi64(a, c));
  _mm_storeu_si128(reinterpret_cast<__m128i*>(to + to_step), _mm_unpackhi_epi64(a, c));
  _mm_storeu_si128(reinterpret_cast<__m128i*>(to + 2 * to_step), _mm_unpacklo_epi64(b, d));
  _mm_storeu_si128(reinterpret_cast<__m128i*>(to + 3 * to_step), _mm_unpackhi_epi64(b, d));
}

constexpr std::int64_t most_few = 4;

// Bytes of `few` lines exchanged by shuffles, 16 positions at a time: block k of one side takes
// from line l of the other what mask[k][l] names. `joins`: lines become neighbours; else the
// reverse.
template <int few, bool joins>
[[gnu::target("ssse3")]] void shuffle_few(const std::byte* from, std::int64_t from_step,
                                          std::byte* to, std::int64_t to_step,
                                          std::int64_t positions) {
  alignas(16) unsigned char mask[few][few][16];
  for (int k = 0; k < few; ++k)
    for (int l = 0; l < few; ++l)
      for (int i = 0; i < 16; ++i) {
        // Where the byte stands among the joined ones, of which this is block (joins ? k : l).
        const int at = joins ? 16 * k + i : few * i + k;
        const bool here = joins ? at % few == l : at / 16 == l;
        mask[k][l][i] = static_cast<unsigned char>(!here ? 0x80 : joins ? at / few : at % 16);
      }
  for (std::int64_t p = 0; p < positions; p += 16) {
    __m128i in[few];
#pragma GCC unroll 4
    for (int l = 0; l < few; ++l)
      in[l] = _mm_loadu_si128(
          reinterpret_cast<const __m128i*>(from + (joins ? l * from_step + p : few * p + 16 * l)));
#pragma GCC unroll 4
    for (int k = 0; k < few; ++k) {
      __m128i out = _mm_setzero_si128();
#pragma GCC unroll 4
      for (int l = 0; l < few; ++l)
        out = _mm_or_si128(
            out,
            _mm_shuffle_epi8(in[l], _mm_load_si128(reinterpret_cast<const __m128i*>(mask[k][l]))));
      _mm_storeu_si128(
          reinterpret_cast<__m128i*>(to + (joins ? few * p + 16 * k : k * to_step + p)), out);
    }
  }
}

template <int few>
bool shuffled(const std::byte* from, std::byte* to, const Transposition& t) {
  if constexpr (few > most_few) {
    return false;
  } else {
    const bool joins = t.rows == few && t.to_step == few,
               parts = t.columns == few && t.from_step == few;
    if (!joins && !parts) return shuffled<few + 1>(from, to, t);
    const std::int64_t whole = (joins ? t.columns : t.rows) / 16 * 16;
    joins ? shuffle_few<few, true>(from, t.from_step, to, t.to_step, whole)
          : shuffle_few<few, false>(from, t.from_step, to, t.to_step, whole);
    portable(from, to, t, joins ? 0 : whole, t.rows, joins ? whole : 0, t.columns);
    return true;
  }
}

// Two to four lines of bytes, as of the colours of an image; false where they are others.
bool transpose_few(const std::byte* from, std::byte* to, const Transposition& t) {
  return std::min(t.rows, t.columns) <= most_few && __builtin_cpu_supports("ssse3") &&
         shuffled<2>(from, to, t);
}
#endif

template <class T>
void plain(const std::byte* from, std::byte* to, const Transposition& t) {
  const auto* const x = reinterpret_cast<const T*>(from);
  auto* const y = reinterpret_cast<T*>(to);
  constexpr std::int64_t side = 64 / static_cast<std::int64_t>(sizeof(T));
  for (std::int64_t r = 0; r < t.rows; r += side)
    for (std::int64_t c = 0; c < t.columns; c += side)
      portable(x, y, t, r, std::min(t.rows, r + side), c, std::min(t.columns, c + side));
}

}  // namespace

void transpose(const std::byte* from, std::byte* to, const Transposition& t) {
  if (t.width == 2) return plain<std::uint16_t>(from, to, t);
  if (t.width == 8) return plain<std::uint64_t>(from, to, t);
#if defined(__x86_64__)
  if (t.width == 1 && transpose_few(from, to, t)) return;
  if (t.width == 1) return by_blocks(from, to, t, 16, bytes_16);
  by_blocks(reinterpret_cast<const std::uint32_t*>(from), reinterpret_cast<std::uint32_t*>(to), t,
            4, words_4);
#else
  if (t.width == 1) return plain<std::uint8_t>(from, to, t);
  plain<std::uint32_t>(from, to, t);
#endif
}

void transpose(const std::byte* from, std::byte* to, std::int64_t rows, std::int64_t columns,
               std::size_t width) {
  transpose(from, to, {rows, columns, columns, rows, width});
}

}  // namespace lockstep
