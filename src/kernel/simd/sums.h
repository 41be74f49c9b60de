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

template <class V>
void sum_codes(const std::byte* x, std::int64_t positions, std::int64_t channels, bool is_signed,
               std::int32_t* sums) {
  is_signed ? sum_positions<V, true>(x, positions, channels, sums)
            : sum_positions<V, false>(x, positions, channels, sums);
}

}  // namespace
}  // namespace lockstep
