#pragma once

// How codes become what products read (StageCodes), over V of num/simd/. Included under the target
// of V.

namespace lockstep {
namespace {

// Bytes xor `flip`; P::load_part and P::store_part move the first n of a vector.
template <class V, class P>
void stage_bytes(const std::byte* x, std::byte* to, std::int64_t count, std::int32_t flip, bool) {
  const auto f = V::set(static_cast<std::int32_t>(static_cast<std::uint32_t>(flip) * 0x01010101u));
  constexpr std::int64_t bytes = 4 * V::lanes;
  std::int64_t i = 0;
  for (; i + bytes <= count; i += bytes) V::store(to + i, V::bit_xor(V::load(x + i), f));
  if (i < count) P::store_part(to + i, V::bit_xor(P::load_part(x + i, count - i), f), count - i);
}

// Words minus `zero`; P::load_words widens a vector of codes.
template <class V, class P>
void stage_words(const std::byte* x, std::byte* to, std::int64_t count, std::int32_t zero,
                 bool is_signed) {
  const auto z = P::set_words(zero);
  constexpr std::int64_t words = 2 * V::lanes;
  std::int64_t i = 0;
  for (; i + words <= count; i += words)
    V::store(to + 2 * i, P::sub_words(P::load_words(x + i, is_signed), z));
  for (; i < count; ++i) {
    const std::int32_t code = is_signed ? std::int32_t{static_cast<std::int8_t>(x[i])}
                                        : std::int32_t{static_cast<std::uint8_t>(x[i])};
    const auto word = static_cast<std::int16_t>(code - zero);
    std::memcpy(to + 2 * i, &word, 2);
  }
}

}  // namespace
}  // namespace lockstep
