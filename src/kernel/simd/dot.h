#pragma once

// Tiles of sums of products and how they become codes, over V of num/simd/ and a product
// `P::dot(acc, x, w)` of one group in each lane. Included under the target of V.

namespace lockstep {
namespace {

template <class V, class P, int rows, int vecs>
void dot_tile(const DotTile& t) {
  typename V::I acc[rows][vecs];
#pragma GCC unroll 16
  for (int r = 0; r < rows; ++r)
#pragma GCC unroll 16
    for (int v = 0; v < vecs; ++v) acc[r][v] = V::load(t.start + v * V::lanes);
  const std::byte* w = t.w;
  for (std::int64_t run = 0; run < t.run_count; ++run) {
    const std::byte* x = t.origin + t.runs[run];
    for (std::int64_t g = 0; g < t.groups; ++g, x += 4, w += V::lanes * 4) {
      typename V::I panel[vecs];
#pragma GCC unroll 16
      for (int v = 0; v < vecs; ++v) panel[v] = V::load(w + v * t.panel_bytes);
#pragma GCC unroll 16
      for (int r = 0; r < rows; ++r) {
        std::int32_t group;
        __builtin_memcpy(&group, x + r * t.step, 4);
        const auto one = V::set(group);
#pragma GCC unroll 16
        for (int v = 0; v < vecs; ++v) acc[r][v] = P::dot(acc[r][v], one, panel[v]);
      }
    }
  }
#pragma GCC unroll 16
  for (int r = 0; r < rows; ++r)
#pragma GCC unroll 16
    for (int v = 0; v < vecs; ++v) V::store(t.acc + (r * vecs + v) * V::lanes, acc[r][v]);
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

template <class V, class P, int rows, int vecs>
constexpr void add_tiles(DotSet& set) {
  if constexpr (rows > 0) {
    set.tile[rows][vecs] = dot_tile<V, P, rows, vecs>;
    add_tiles<V, P, rows - 1, vecs>(set);
  }
}

}  // namespace
}  // namespace lockstep
