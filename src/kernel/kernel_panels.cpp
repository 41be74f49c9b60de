#include "kernel/kernel_products.h"

#if defined(__x86_64__)
#include <emmintrin.h>
#endif

#include <algorithm>
#include <cstring>

namespace lockstep {
namespace {

std::int32_t code_of(std::byte b, bool is_signed) {
  return is_signed ? std::int32_t{static_cast<std::int8_t>(b)}
                   : std::int32_t{static_cast<std::uint8_t>(b)};
}

// Rows 4q to 4q + 3 of `lanes` columns, interleaved; rows from k on are zero.
void group_of_bytes(const PanelSource& s, const std::byte* b, std::int64_t q, std::byte* to) {
  const std::int64_t rows = std::min<std::int64_t>(4, s.k - 4 * q);
  const std::byte* const first = b + 4 * q * s.n;
#if defined(__x86_64__)
  const __m128i flip = _mm_set1_epi8(static_cast<char>(s.flip));
  for (int l = 0; l < s.lanes; l += 8, to += 32) {
    const auto row = [&](std::int64_t i) {
      return i < rows
                 ? _mm_xor_si128(
                       _mm_loadl_epi64(reinterpret_cast<const __m128i*>(first + i * s.n + l)), flip)
                 : _mm_setzero_si128();
    };
    const __m128i even = _mm_unpacklo_epi8(row(0), row(1)), odd = _mm_unpacklo_epi8(row(2), row(3));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(to), _mm_unpacklo_epi16(even, odd));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(to + 16), _mm_unpackhi_epi16(even, odd));
  }
#else
  for (int l = 0; l < s.lanes; ++l)
    for (std::int64_t i = 0; i < 4; ++i)
      *to++ = i < rows ? first[i * s.n + l] ^ std::byte{s.flip} : std::byte{0};
#endif
}

// The same of [n][k]: four bytes of a column lie together. What is read behind a column's end is
// taken off.
void column_of_bytes(const PanelSource& s, const std::byte* column, std::byte* to) {
  const std::uint32_t flip = s.flip * 0x01010101u;
  const std::int64_t step = std::int64_t{4} * s.lanes;
  std::int64_t k = 0;
  for (; k + 4 <= s.k; k += 4, to += step) {
    std::uint32_t four;
    std::memcpy(&four, column + k, 4);
    four ^= flip;
    std::memcpy(to, &four, 4);
  }
  if (k == s.k) return;
  std::byte four[4] = {};
  for (std::int64_t i = 0; k + i < s.k; ++i) four[i] = column[k + i] ^ std::byte{s.flip};
  std::memcpy(to, four, 4);
}

// Two words of each column, zero points taken off.
void group_of_words(const PanelSource& s, const std::byte* b, const std::int16_t* zero,
                    std::int64_t q, std::byte* to) {
  for (int l = 0; l < s.lanes; ++l, to += 4) {
    std::int16_t two[2];
    two[0] = static_cast<std::int16_t>(code_of(b[2 * q * s.n + l], s.is_signed) - zero[l]);
    two[1] =
        2 * q + 1 < s.k
            ? static_cast<std::int16_t>(code_of(b[(2 * q + 1) * s.n + l], s.is_signed) - zero[l])
            : std::int16_t{0};
    std::memcpy(to, two, 4);
  }
}
void column_of_words(const PanelSource& s, const std::byte* column, std::int16_t zero,
                     std::byte* to) {
  for (std::int64_t k = 0; k < s.k; k += 2, to += std::int64_t{4} * s.lanes) {
    std::int16_t two[2];
    two[0] = static_cast<std::int16_t>(code_of(column[k], s.is_signed) - zero);
    two[1] = k + 1 < s.k ? static_cast<std::int16_t>(code_of(column[k + 1], s.is_signed) - zero)
                         : std::int16_t{0};
    std::memcpy(to, two, 4);
  }
}

}  // namespace

void pack_panel(const PanelSource& s, const std::byte* b, std::int64_t panel, std::byte* to) {
  const std::int64_t first = panel * s.lanes,
                     columns = std::min<std::int64_t>(s.lanes, s.n - first);
  const std::int64_t elements = s.words ? 2 : 4, groups = (s.k + elements - 1) / elements;
  if (s.transposed) {
    for (std::int64_t l = 0; l < columns; ++l)
      if (s.words)
        column_of_words(s, b + (first + l) * s.k, s.zero[first + l], to + 4 * l);
      else
        column_of_bytes(s, b + (first + l) * s.k, to + 4 * l);
    return;
  }
  for (std::int64_t q = 0; q < groups; ++q, to += std::int64_t{4} * s.lanes)
    if (s.words)
      group_of_words(s, b + first, s.zero + first, q, to);
    else
      group_of_bytes(s, b + first, q, to);
}

}  // namespace lockstep
