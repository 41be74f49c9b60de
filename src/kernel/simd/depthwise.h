#pragma once

// Lines of depthwise convolutions, over V of num/simd/ and P of the ISA: dot, unpacking of bytes
// and words, packing, loads of joined runs. Included under the target of V.

namespace lockstep {
namespace {

// Accumulators j of `rows` vectors, four places at a time; the weights are those of `all` rows.
template <class V, class P, int join, int all, int rows>
[[gnu::always_inline]] inline void depthwise_sums(const DepthwiseLine& t, const std::byte* x,
                                                  const std::byte* w,
                                                  typename V::I (&acc)[rows][4]) {
  const std::int64_t* tap = t.taps;
  for (std::int64_t q = 0; q < t.quads; ++q, tap += 4, w += all * 16 * V::lanes) {
    const auto a = P::template load<join>(x + tap[0], t.piece_step),
               b = P::template load<join>(x + tap[1], t.piece_step),
               c = P::template load<join>(x + tap[2], t.piece_step),
               d = P::template load<join>(x + tap[3], t.piece_step);
    const auto ab_low = P::bytes_low(a, b), ab_high = P::bytes_high(a, b),
               cd_low = P::bytes_low(c, d), cd_high = P::bytes_high(c, d);
    const typename V::I four[4] = {P::words_low(ab_low, cd_low), P::words_high(ab_low, cd_low),
                                   P::words_low(ab_high, cd_high), P::words_high(ab_high, cd_high)};
#pragma GCC unroll 2
    for (int r = 0; r < rows; ++r)
#pragma GCC unroll 4
      for (int j = 0; j < 4; ++j)
        acc[r][j] = P::dot(acc[r][j], four[j], V::load(w + (r * 4 + j) * 4 * V::lanes));
  }
}

// Four accumulators to codes; `at` is where their constants stand.
template <class V, class P, bool fixed>
[[gnu::always_inline]] inline typename V::I depthwise_codes(const DepthwiseLine& t,
                                                            const typename V::I (&acc)[4],
                                                            std::int64_t at) {
  typename V::I code[4];
#pragma GCC unroll 4
  for (int j = 0; j < 4; ++j, at += V::lanes) {
    if constexpr (fixed)
      code[j] = V::add(fixed_twice<V>(acc[j], V::load(t.multiplier + at), V::load(t.left + at),
                                      V::load(t.right + at)),
                       V::set(t.y_zero));
    else
      code[j] = float_nearest_wide<V>(acc[j], V::load_f(t.factor + at));
  }
  if constexpr (fixed) {
    const auto low = V::set(t.low), high = V::set(t.high);
#pragma GCC unroll 4
    for (int j = 0; j < 4; ++j) code[j] = V::least(V::greatest(code[j], low), high);
    const auto first = P::words(code[0], code[1]), second = P::words(code[2], code[3]);
    return t.y_signed ? P::signed_bytes(first, second) : P::unsigned_bytes(first, second);
  }
  return codes_of_nearest<P>(code, t.y_zero, t.low, t.high, t.y_signed);
}

template <class V, class P, int join, bool fixed, int all, int rows>
void depthwise_line(const DepthwiseLine& t) {
  constexpr std::int64_t bytes = 4 * V::lanes;
  for (std::int64_t p = 0; p < t.pixels; ++p) {
    const std::int64_t count =
        join > 1 && p + 1 == t.pixels ? t.pixel_bytes / join * t.last_join : t.pixel_bytes;
    for (std::int64_t v = 0, block = 0; v < t.vectors;
         ++v, block = block + 1 == t.blocks ? 0 : block + 1) {
      const std::int64_t c = block * bytes;
      typename V::I acc[rows][4];
#pragma GCC unroll 2
      for (int r = 0; r < rows; ++r)
#pragma GCC unroll 4
        for (int j = 0; j < 4; ++j) acc[r][j] = V::load(t.bias + c + j * V::lanes);
      depthwise_sums<V, P, join, all, rows>(t, t.x + p * t.x_step + v * bytes,
                                            t.w + block * t.block_bytes, acc);
#pragma GCC unroll 2
      for (int r = 0; r < rows; ++r)
        P::store_part(t.out + r * t.row_bytes + p * t.y_step + v * bytes,
                      depthwise_codes<V, P, fixed>(t, acc[r], c), count - v * bytes);
    }
  }
}

template <class V, class P, int log, bool fixed>
constexpr void add_line(DepthwiseSet& set) {
  set.line[fixed][log][0][0] = depthwise_line<V, P, 1 << log, fixed, 1, 1>;
  set.line[fixed][log][1][0] = depthwise_line<V, P, 1 << log, fixed, 2, 1>;
  set.line[fixed][log][1][1] = depthwise_line<V, P, 1 << log, fixed, 2, 2>;
}

template <class V, class P>
constexpr void add_lines(DepthwiseSet& set) {
  set.bytes = 4 * V::lanes;
  add_line<V, P, 0, false>(set);
  add_line<V, P, 1, false>(set);
  add_line<V, P, 2, false>(set);
  add_line<V, P, 0, true>(set);
  add_line<V, P, 1, true>(set);
  add_line<V, P, 2, true>(set);
}

}  // namespace
}  // namespace lockstep
