#pragma once

// How codes become what products read (StageCodes), over V of num/simd/. Included under the target
// of V.

namespace lockstep {
namespace {

// Bytes xor `flip`; P::load_part and P::store_part move the first n of a vector.
template <class V, class P>
void stage_bytes(const std::byte* x, std::byte* to, std::int64_t count, std::int32_t flip, bool) {
  const auto f = V::set(flip * 0x01010101);
  constexpr std::int64_t bytes = 4 * V::lanes;
  std::int64_t i = 0;
  for (; i + bytes <= count; i += bytes) V::store(to + i, V::bit_xor(V::load(x + i), f));
  if (i < count) P::store_part(to + i, V::bit_xor(P::load_part(x + i, count - i), f), count - i);
}

}  // namespace
}  // namespace lockstep
