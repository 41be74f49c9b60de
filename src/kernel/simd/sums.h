#pragma once

// Sums of codes in 32 bits, over V of num/simd/. Included under the target of V.

namespace lockstep {
namespace {

// sums[c] += the codes of channel c at each position; `sums` may be read and written to the end of
// a whole vector.
template <class V, bool is_signed>
void sum_positions(const std::byte* x, std::int64_t positions, std::int64_t channels,
                   std::int32_t* sums) {
  for (std::int64_t c = 0; c < channels; c += V::lanes) {
    const std::int64_t n = channels - c;
    auto even = V::load(sums + c), odd = V::zero();
    const auto codes = [&](std::int64_t p) {
      const std::byte* const at = x + p * channels + c;
      return is_signed ? V::load_signed_bytes(at, n) : V::load_unsigned_bytes(at, n);
    };
    std::int64_t p = 0;
    for (; p + 2 <= positions; p += 2) {
      even = V::add(even, codes(p));
      odd = V::add(odd, codes(p + 1));
    }
    if (p < positions) even = V::add(even, codes(p));
    V::store(sums + c, V::add(even, odd));
  }
}

// sums[r] = the codes of row r; rows of n codes lie one behind the other. Two rows share one sum
// across the lanes.
template <class V>
void sum_rows(const std::byte* x, std::int64_t rows, std::int64_t n, bool is_signed,
              std::int32_t* sums) {
  constexpr std::int64_t width = V::lanes * 4;
  const auto row = [&](const std::byte* p) {
    auto sum = V::byte_sums(p, std::min(n, width), is_signed);
    for (std::int64_t k = width; k < n; k += width)
      sum = V::add(sum, V::byte_sums(p + k, std::min(n - k, width), is_signed));
    return sum;
  };
  const std::int64_t much = is_signed ? 128 * n : 0;
  for (std::int64_t r = 0; r < rows; r += 2) {
    const std::byte* const p = x + r * n;
    const std::uint64_t both = V::totals(row(p), r + 1 < rows ? row(p + n) : V::zero());
    sums[r] = static_cast<std::int32_t>(static_cast<std::int64_t>(both & 0xffffffff) - much);
    if (r + 1 < rows)
      sums[r + 1] = static_cast<std::int32_t>(static_cast<std::int64_t>(both >> 32) - much);
  }
}

template <class V>
void sum_codes(const std::byte* x, std::int64_t positions, std::int64_t channels, bool is_signed,
               std::int32_t* sums) {
  is_signed ? sum_positions<V, true>(x, positions, channels, sums)
            : sum_positions<V, false>(x, positions, channels, sums);
}

}  // namespace
}  // namespace lockstep
