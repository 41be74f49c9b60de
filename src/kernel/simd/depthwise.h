#pragma once

// Lines of depthwise convolutions, over V of num/simd/ and P of the ISA: `sums` accumulators (4 of
// bytes, 2 of words), dot, unpacking, packing, loads of joined runs. Included under the target of
// V.

namespace lockstep {
namespace {

// The accumulators of `rows` vectors, a group of places at a time; the weights are those of `all`
// rows.
template <class V, class P, int join, int all, int rows>
[[gnu::always_inline]] inline void depthwise_sums(const DepthwiseLine& t, const std::byte* x,
                                                  const std::byte* w,
                                                  typename V::I (&acc)[rows][P::sums]) {
  constexpr int sums = P::sums;
  const std::int64_t* tap = t.taps;
  for (std::int64_t q = 0; q < t.groups; ++q, tap += sums, w += all * sums * 4 * V::lanes) {
    const auto a = P::template load<join>(x + tap[0], t.piece_step),
               b = P::template load<join>(x + tap[1], t.piece_step);
    typename V::I group[sums];
    if constexpr (sums == 2) {
      group[0] = P::words_low(a, b), group[1] = P::words_high(a, b);
    } else {
      const auto c = P::template load<join>(x + tap[2], t.piece_step),
                 d = P::template load<join>(x + tap[3], t.piece_step);
      const auto ab_low = P::bytes_low(a, b), ab_high = P::bytes_high(a, b),
                 cd_low = P::bytes_low(c, d), cd_high = P::bytes_high(c, d);
      group[0] = P::words_low(ab_low, cd_low), group[1] = P::words_high(ab_low, cd_low);
      group[2] = P::words_low(ab_high, cd_high), group[3] = P::words_high(ab_high, cd_high);
    }
#pragma GCC unroll 2
    for (int r = 0; r < rows; ++r)
#pragma GCC unroll 4
      for (int j = 0; j < sums; ++j)
        acc[r][j] = P::dot(acc[r][j], group[j], V::load(w + (r * sums + j) * 4 * V::lanes));
  }
}

// The accumulators of a vector to bytes; `at` is where their constants stand. Two make every byte
// twice, within each 128 bits.
template <class V, class P, bool fixed>
[[gnu::always_inline]] inline typename V::I depthwise_codes(const DepthwiseLine& t,
                                                            const typename V::I (&acc)[P::sums],
                                                            std::int64_t at) {
  typename V::I code[4];
#pragma GCC unroll 4
  for (int j = 0; j < P::sums; ++j, at += V::lanes) {
    if constexpr (fixed)
      code[j] = V::add(fixed_twice<V>(acc[j], V::load(t.multiplier + at), V::load(t.left + at),
                                      V::load(t.right + at)),
                       V::set(t.y_zero));
    else
      code[j] = float_nearest_wide<V>(acc[j], V::load_f(t.factor + at));
  }
  if constexpr (P::sums == 2) code[2] = code[0], code[3] = code[1];
  if constexpr (fixed) {
    const auto low = V::set(t.low), high = V::set(t.high);
#pragma GCC unroll 4
    for (int j = 0; j < 4; ++j) code[j] = V::least(V::greatest(code[j], low), high);
    const auto first = P::words(code[0], code[1]), second = P::words(code[2], code[3]);
    return t.y_signed ? P::signed_bytes(first, second) : P::unsigned_bytes(first, second);
  }
  return codes_of_nearest<P>(code, t.y_zero, t.low, t.high, t.y_signed);
}

template <class V, class P, int form>
[[gnu::always_inline]] inline void depthwise_finish(const DepthwiseLine& t,
                                                    const typename V::I (&acc)[P::sums],
                                                    std::int64_t block, std::int64_t count,
                                                    std::byte* out) {
  const std::int64_t at = block * P::sums * V::lanes;
  if constexpr (form == 2) {
    alignas(64) std::int32_t raw[P::sums * V::lanes];
    for (int j = 0; j < P::sums; ++j) V::store(raw + j * V::lanes, acc[j]);
    t.finish(t, raw, block, count, out);
  } else if constexpr (P::sums == 2) {
    P::store_halves(out, depthwise_codes<V, P, form == 1>(t, acc, at), count);
  } else {
    P::store_part(out, depthwise_codes<V, P, form == 1>(t, acc, at), count);
  }
}

template <class V, class P, int join, int form, int all, int rows>
void depthwise_line(const DepthwiseLine& t) {
  constexpr std::int64_t bytes = 4 * V::lanes, elements = P::sums * V::lanes;
  for (std::int64_t p = 0; p < t.pixels; ++p) {
    const std::int64_t count =
        join > 1 && p + 1 == t.pixels ? t.pixel_count / join * t.last_join : t.pixel_count;
    for (std::int64_t v = 0, block = 0; v < t.vectors;
         ++v, block = block + 1 == t.blocks ? 0 : block + 1) {
      const std::int32_t* const bias = t.bias + block * elements;
      typename V::I acc[rows][P::sums];
#pragma GCC unroll 2
      for (int r = 0; r < rows; ++r)
#pragma GCC unroll 4
        for (int j = 0; j < P::sums; ++j) acc[r][j] = V::load(bias + j * V::lanes);
      depthwise_sums<V, P, join, all, rows>(t, t.x + p * t.x_step + v * bytes,
                                            t.w + block * t.block_bytes, acc);
#pragma GCC unroll 2
      for (int r = 0; r < rows; ++r)
        depthwise_finish<V, P, form>(
            t, acc[r], block, count - v * elements,
            t.out + r * t.row_bytes + p * t.y_step + v * elements * t.y_size);
    }
  }
}

template <class V, class P, int log, int form>
constexpr void add_line(DepthwiseSet& set) {
  set.line[form][log][0][0] = depthwise_line<V, P, 1 << log, form, 1, 1>;
  set.line[form][log][1][0] = depthwise_line<V, P, 1 << log, form, 2, 1>;
  set.line[form][log][1][1] = depthwise_line<V, P, 1 << log, form, 2, 2>;
}

template <class V, class P, int form>
constexpr void add_form(DepthwiseSet& set) {
  set.bytes = 4 * V::lanes;
  add_line<V, P, 0, form>(set);
  add_line<V, P, 1, form>(set);
  add_line<V, P, 2, form>(set);
}

}  // namespace
}  // namespace lockstep
