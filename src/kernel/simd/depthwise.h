#pragma once

// Lines of depthwise convolutions, over V of num/simd/ and P of the ISA: dot, unpacking of bytes
// and words, packing, loads of joined runs. Included under the target of V.

namespace lockstep {
namespace {

// Accumulators j of a vector, four taps at a time.
template <class V, class P, int join>
void depthwise_sums(const DepthwiseLine& t, const std::byte* x, const std::byte* w,
                    typename V::I (&acc)[4]) {
  const std::int64_t* tap = t.taps;
  for (std::int64_t q = 0; q < t.quads; ++q, tap += 4, w += 16 * V::lanes) {
    const auto a = P::template load<join>(x + tap[0], t.piece_step),
               b = P::template load<join>(x + tap[1], t.piece_step),
               c = P::template load<join>(x + tap[2], t.piece_step),
               d = P::template load<join>(x + tap[3], t.piece_step);
    const auto ab_low = P::bytes_low(a, b), ab_high = P::bytes_high(a, b),
               cd_low = P::bytes_low(c, d), cd_high = P::bytes_high(c, d);
    acc[0] = P::dot(acc[0], P::words_low(ab_low, cd_low), V::load(w));
    acc[1] = P::dot(acc[1], P::words_high(ab_low, cd_low), V::load(w + 4 * V::lanes));
    acc[2] = P::dot(acc[2], P::words_low(ab_high, cd_high), V::load(w + 8 * V::lanes));
    acc[3] = P::dot(acc[3], P::words_high(ab_high, cd_high), V::load(w + 12 * V::lanes));
  }
}

template <class V, class P, int join, bool fixed>
void depthwise_line(const DepthwiseLine& t) {
  const auto low_f = V::set_f(static_cast<float>(t.low - t.y_zero)),
             high_f = V::set_f(static_cast<float>(t.high - t.y_zero));
  const auto low = V::set(t.low), high = V::set(t.high), zero = V::set(t.y_zero);
  constexpr std::int64_t bytes = 4 * V::lanes;
  for (std::int64_t p = 0; p < t.pixels; ++p) {
    const std::int64_t all =
        join > 1 && p + 1 == t.pixels ? t.pixel_bytes / join * t.last_join : t.pixel_bytes;
    for (std::int64_t v = 0, block = 0; v < t.vectors;
         ++v, block = block + 1 == t.blocks ? 0 : block + 1) {
      const std::int64_t c = block * bytes;
      typename V::I acc[4];
      for (int j = 0; j < 4; ++j) acc[j] = V::load(t.bias + c + j * V::lanes);
      depthwise_sums<V, P, join>(t, t.x + p * t.x_step + v * bytes, t.w + c * t.quads * 4, acc);
#pragma GCC unroll 4
      for (int j = 0; j < 4; ++j) {
        const std::int64_t at = c + j * V::lanes;
        if constexpr (fixed)
          acc[j] = V::least(
              V::greatest(V::add(fixed_twice<V>(acc[j], V::load(t.multiplier + at),
                                                V::load(t.left + at), V::load(t.right + at)),
                                 zero),
                          low),
              high);
        else
          acc[j] = V::add(float_nearest<V>(acc[j], V::load_f(t.factor + at), low_f, high_f), zero);
      }
      const auto first = P::words(acc[0], acc[1]), second = P::words(acc[2], acc[3]);
      const auto codes =
          t.y_signed ? P::signed_bytes(first, second) : P::unsigned_bytes(first, second);
      P::store(t.out + p * t.y_step + v * bytes, codes, all - v * bytes);
    }
  }
}

template <class V, class P>
constexpr void add_lines(DepthwiseSet& set) {
  set.bytes = 4 * V::lanes;
  set.line[0][0] = depthwise_line<V, P, 1, false>;
  set.line[0][1] = depthwise_line<V, P, 2, false>;
  set.line[0][2] = depthwise_line<V, P, 4, false>;
  set.line[1][0] = depthwise_line<V, P, 1, true>;
  set.line[1][1] = depthwise_line<V, P, 2, true>;
  set.line[1][2] = depthwise_line<V, P, 4, true>;
}

}  // namespace
}  // namespace lockstep
