#pragma once

// Tiles of sums of products and how they become codes, over V of num/simd/ and P of the ISA:
// `P::dot(acc, x, w)` of one group in each lane; where it folds, `P::spread<fold>(x)` brings a
// group to all lanes and `P::join(a, b)` adds neighbouring lanes, those of a before those of b.
// Included under the target of V.

namespace lockstep {
namespace {

template <class V, class P, int fold>
[[gnu::always_inline]] inline typename V::I spread_group(const std::byte* x) {
  if constexpr (fold == 1) {
    std::int32_t group;
    __builtin_memcpy(&group, x, 4);
    return V::set(group);
  } else {
    return P::template spread<fold>(x);
  }
}

// `fold` vectors of partial sums as one of sums: at(i) is the i-th of them.
template <class V, class P, int fold, class At>
[[gnu::always_inline]] inline typename V::I join_folds(const At& at) {
  if constexpr (fold == 2) return P::join(at(0), at(1));
  return P::join(P::join(at(0), at(1)), P::join(at(2), at(3)));
}

// The sums of output vector o of a row: each channel's partial sums joined.
template <class V, class P, int fold, int vecs>
[[gnu::always_inline]] inline typename V::I joined(const typename V::I (&acc)[vecs], int o) {
  if constexpr (fold == 1)
    return acc[o];
  else
    return join_folds<V, P, fold>(
        [&](int i) { return fold * o + i < vecs ? acc[fold * o + i] : V::zero(); });
}

// Rows whose panels fill no whole vectors, joined across their ends: what becomes of the sums then
// sees vectors without gaps.
template <class V, class P, int fold, int rows, int vecs, int o = 0>
[[gnu::always_inline]] inline void store_dense(const std::int32_t* start,
                                               const typename V::I (&acc)[rows][vecs],
                                               std::int32_t* out) {
  constexpr int all = rows * vecs;
  if constexpr (o * fold < all) {
    const auto sum = join_folds<V, P, fold>([&](int i) {
      return fold * o + i < all ? acc[(fold * o + i) / vecs][(fold * o + i) % vecs] : V::zero();
    });
    V::store(out + o * V::lanes, V::add(sum, V::load(start + o * V::lanes)));
    store_dense<V, P, fold, rows, vecs, o + 1>(start, acc, out);
  }
}

// One row reads all weights once. Where they come from afar it does so panel by panel, so that they
// are one stream, of which lines are asked for ahead.
constexpr std::int64_t weights_ahead = 2048;  // bytes

template <class V, class P, int fold>
[[gnu::always_inline]] inline typename V::I long_sums(const DotTile& t, const std::byte* w,
                                                      const std::byte* origin,
                                                      typename V::I start) {
  constexpr std::int64_t step = V::lanes * 4;
  typename V::I acc[4] = {start, V::zero(), V::zero(), V::zero()};
  std::int64_t g = 0;
  for (; g + 4 <= t.group_count; g += 4, w += 4 * step)
#pragma GCC unroll 4
    for (int i = 0; i < 4; ++i) {
      __builtin_prefetch(w + i * step + weights_ahead);
      acc[i] =
          P::dot(acc[i], spread_group<V, P, fold>(origin + t.groups[g + i]), V::load(w + i * step));
    }
  for (; g < t.group_count; ++g, w += step)
    acc[0] = P::dot(acc[0], spread_group<V, P, fold>(origin + t.groups[g]), V::load(w));
  return V::add(V::add(acc[0], acc[1]), V::add(acc[2], acc[3]));
}

template <class V, class P, int fold, int rows, int vecs>
void dot_tile(const DotTile& t) {
  constexpr int outs = (vecs + fold - 1) / fold;
  // Rows in fours, so that few registers hold their addresses.
  const std::int64_t step = t.step;
  std::int64_t step3 = 3 * step, step4 = 4 * step;
  __asm__("" : "+r"(step3), "+r"(step4));
  const std::int64_t* const end = t.groups + t.group_count;
  const std::byte* origin = t.origin;
  std::int32_t* out = t.acc;
  for (std::int64_t tile = 0; tile < t.tiles; ++tile, origin += rows * step) {
    typename V::I acc[rows][vecs];
#pragma GCC unroll 16
    for (int r = 0; r < rows; ++r)
#pragma GCC unroll 16
      for (int v = 0; v < vecs; ++v)
        acc[r][v] = fold == 1 ? V::load(t.start + v * V::lanes) : V::zero();
    const std::byte* w = t.w;
    const bool by_panels = rows == 1 && t.far;
    if (by_panels)
#pragma GCC unroll 16
      for (int v = 0; v < vecs; ++v)
        acc[0][v] = long_sums<V, P, fold>(t, w + v * t.panel_bytes, origin, acc[0][v]);
    for (const std::int64_t* group = by_panels ? end : t.groups; group != end;
         ++group, w += V::lanes * 4) {
      typename V::I panel[vecs];
#pragma GCC unroll 16
      for (int v = 0; v < vecs; ++v) panel[v] = V::load(w + v * t.panel_bytes);
      const std::byte* x = origin + *group;
#pragma GCC unroll 16
      for (int r = 0; r < rows; ++r) {
        if (r > 0 && r % 4 == 0) x += step4;
        const auto one = spread_group<V, P, fold>(x + (r % 4 == 3 ? step3 : r % 4 * step));
#pragma GCC unroll 16
        for (int v = 0; v < vecs; ++v) acc[r][v] = P::dot(acc[r][v], one, panel[v]);
      }
    }
    if constexpr (vecs % fold != 0)
      if (t.dense) {
        store_dense<V, P, fold, rows, vecs>(t.start, acc, out);
        out += rows * vecs * V::lanes / fold;
        continue;
      }
#pragma GCC unroll 16
    for (int r = 0; r < rows; ++r)
#pragma GCC unroll 16
      for (int o = 0; o < outs; ++o, out += V::lanes) {
        auto sum = joined<V, P, fold, vecs>(acc[r], o);
        if constexpr (fold > 1) sum = V::add(sum, V::load(t.start + o * V::lanes));
        V::store(out, sum);
      }
  }
}

template <class V>
void finish_float_nearest(const FinishTile& t) {
  const DotFinish& f = *t.finish;
  const auto low = V::set_f(static_cast<float>(f.low - f.y_zero)),
             high = V::set_f(static_cast<float>(f.high - f.y_zero));
  const auto zero = V::set(f.y_zero);
  for (std::int64_t c = 0; c < t.channels; c += V::lanes) {
    const auto factor = V::load_f(f.factor.data() + t.first + c);
    for (std::int64_t r = 0; r < t.rows; ++r) {
      const auto acc = V::load(t.acc + r * t.acc_step + c);
      V::store_bytes(t.out + r * t.out_step + c,
                     V::add(float_nearest<V>(acc, factor, low, high), zero), t.channels - c);
    }
  }
}

template <class V>
void finish_by_factor(const FinishTile& t) {
  for (std::int64_t r = 0; r < t.rows; ++r) {
    auto* const out = reinterpret_cast<float*>(t.out + r * t.out_step);
    for (std::int64_t c = 0; c < t.channels; c += V::lanes)
      V::store_f(out + c,
                 V::mul_f(V::real(V::load(t.acc + r * t.acc_step + c)),
                          V::load_f(t.finish->factor.data() + t.first + c)),
                 t.channels - c);
  }
}

template <class V>
void finish_fixed_twice(const FinishTile& t) {
  const DotFinish& f = *t.finish;
  const auto low = V::set(f.low), high = V::set(f.high), zero = V::set(f.y_zero);
  for (std::int64_t c = 0; c < t.channels; c += V::lanes) {
    const std::int64_t at = t.first + c;
    const auto multiplier = V::load(f.multiplier.data() + at), left = V::load(f.left.data() + at),
               right = V::load(f.right.data() + at);
    for (std::int64_t r = 0; r < t.rows; ++r) {
      const auto acc = V::load(t.acc + r * t.acc_step + c);
      const auto code = V::add(fixed_twice<V>(acc, multiplier, left, right), zero);
      V::store_bytes(t.out + r * t.out_step + c, V::least(V::greatest(code, low), high),
                     t.channels - c);
    }
  }
}

// The window's bytes by products with ones.
template <class V, class P>
void add_sums(const SumTile& t) {
  const auto ones = V::set(0x01010101);
  for (std::int64_t r = 0; r < t.rows; ++r) {
    auto parts = V::zero();
    for (std::int64_t run = 0; run < t.run_count; ++run) {
      const std::byte* const x = t.origin + r * t.step + t.runs[run];
      for (std::int64_t i = 0; i < t.length; i += 4 * V::lanes)
        parts = P::dot(parts, P::load_part(x + i, t.length - i), ones);
    }
    const auto sum = V::set(P::sum(parts));
    std::int32_t* const acc = t.acc + r * t.acc_step;
    for (std::int64_t c = 0; c < t.acc_step; c += V::lanes)
      V::store(acc + c, V::add(V::load(acc + c), V::mul(sum, V::load(t.common + c))));
  }
}

template <class V, class P, int log, int rows, int vecs>
constexpr void add_tiles(DotSet& set) {
  if constexpr (rows > 0) {
    set.fold[log].max_vecs = vecs > set.fold[log].max_vecs ? vecs : set.fold[log].max_vecs;
    set.fold[log].max_rows[vecs] =
        rows > set.fold[log].max_rows[vecs] ? rows : set.fold[log].max_rows[vecs];
    set.fold[log].tile[rows][vecs] = dot_tile<V, P, 1 << log, rows, vecs>;
    add_tiles<V, P, log, rows - 1, vecs>(set);
  }
}

}  // namespace
}  // namespace lockstep
