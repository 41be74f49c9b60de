#pragma once

// Float sums in a given order, over V of num/simd/. Included under the target of V.

namespace lockstep {
namespace {

template <class V, bool fused>
typename V::F step_of(typename V::F x, typename V::F w, typename V::F acc) {
  if constexpr (fused)
    return V::fma(x, w, acc);
  else
    return V::add_f(acc, V::mul_f(x, w));
}

template <class V, bool fused, int rows, int vecs>
void real_tile(const RealTile& t) {
  typename V::F sum[rows][vecs];
#pragma GCC unroll 16
  for (int r = 0; r < rows; ++r)
#pragma GCC unroll 16
    for (int v = 0; v < vecs; ++v) sum[r][v] = V::set_f(0.0f);
  const float* w = t.w;
  for (std::int64_t k0 = 0; k0 < t.k; k0 += t.block) {
    typename V::F acc[rows][vecs];
#pragma GCC unroll 16
    for (int r = 0; r < rows; ++r)
#pragma GCC unroll 16
      for (int v = 0; v < vecs; ++v)
        acc[r][v] =
            t.start && k0 == 0 && v * V::lanes < t.channels
                ? V::load_f(t.start + r * t.start_step + v * V::lanes, t.channels - v * V::lanes)
                : V::set_f(0.0f);
    const std::int64_t end = k0 + t.block < t.k ? k0 + t.block : t.k;
    for (std::int64_t k = k0; k < end; ++k, w += V::lanes) {
      typename V::F panel[vecs];
#pragma GCC unroll 16
      for (int v = 0; v < vecs; ++v) panel[v] = V::load_f(w + v * t.panel);
      const float* const x = t.origin + t.offset[k];
#pragma GCC unroll 16
      for (int r = 0; r < rows; ++r) {
        const auto one = V::set_f(x[r * t.step]);
#pragma GCC unroll 16
        for (int v = 0; v < vecs; ++v) acc[r][v] = step_of<V, fused>(one, panel[v], acc[r][v]);
      }
    }
    if (k0 == 0 && end == t.k) {  // one block: its sums never leave the registers
#pragma GCC unroll 16
      for (int r = 0; r < rows; ++r)
#pragma GCC unroll 16
        for (int v = 0; v < vecs; ++v) {
          if (v * V::lanes >= t.channels) continue;
          const auto y = t.bias ? V::add_f(acc[r][v], V::load_f(t.bias + v * V::lanes)) : acc[r][v];
          V::store_f(t.out + r * t.out_step + v * V::lanes, y, t.channels - v * V::lanes);
        }
      return;
    }
#pragma GCC unroll 16
    for (int r = 0; r < rows; ++r)
#pragma GCC unroll 16
      for (int v = 0; v < vecs; ++v) {
        if (k0 == 0 && t.bias && t.bias_first) sum[r][v] = V::load_f(t.bias + v * V::lanes);
        sum[r][v] =
            k0 == 0 && !(t.bias && t.bias_first) ? acc[r][v] : V::add_f(acc[r][v], sum[r][v]);
      }
  }
  for (int r = 0; r < rows; ++r)
    for (int v = 0; v < vecs; ++v) {
      if (v * V::lanes >= t.channels) continue;
      const auto y = t.bias && !t.bias_first ? V::add_f(sum[r][v], V::load_f(t.bias + v * V::lanes))
                                             : sum[r][v];
      V::store_f(t.out + r * t.out_step + v * V::lanes, y, t.channels - v * V::lanes);
    }
}

// Rounded products of one run of k (a block), in fours, then two, then one, met with what is there.
template <class V>
typename V::F by_fours(const RealLine& t, const float* x, const float* w, std::int64_t n) {
  auto y = V::set_f(0.0f);
  for (std::int64_t k0 = 0; k0 < t.taps; k0 += t.block) {
    const std::int64_t end = k0 + t.block < t.taps ? k0 + t.block : t.taps;
    for (std::int64_t k = k0; k < end;) {
      const std::int64_t step = end - k >= 4 ? 4 : end - k >= 2 ? 2 : 1;
      auto joined = V::mul_f(V::load_f(x + t.offset[k], n), V::load_f(w + k * t.channels, n));
      for (std::int64_t i = 1; i < step; ++i)
        joined = V::add_f(joined, V::mul_f(V::load_f(x + t.offset[k + i], n),
                                           V::load_f(w + (k + i) * t.channels, n)));
      y = V::add_f(joined, y);
      k += step;
    }
  }
  return y;
}

template <class V, bool fused>
typename V::F by_steps(const RealLine& t, const float* x, const float* w, const float* start,
                       std::int64_t n) {
  auto y = V::set_f(0.0f);
  for (std::int64_t k0 = 0; k0 < t.taps; k0 += t.block) {
    const std::int64_t end = k0 + t.block < t.taps ? k0 + t.block : t.taps;
    auto acc = start && k0 == 0 ? V::load_f(start, n) : V::set_f(0.0f);
    for (std::int64_t k = k0; k < end; ++k)
      acc = step_of<V, fused>(V::load_f(x + t.offset[k], n), V::load_f(w + k * t.channels, n), acc);
    y = k0 == 0 ? acc : V::add_f(acc, y);
  }
  return y;
}

template <class V, SumOrder order>
void real_line(const RealLine& t) {
  for (std::int64_t p = 0; p < t.positions; ++p)
    for (std::int64_t c = 0; c < t.channels; c += V::lanes) {
      const std::int64_t n = t.channels - c;
      const float *x = t.x + p * t.step + c, *w = t.w + c, *start = t.start ? t.start + c : nullptr;
      auto y = order == SumOrder::fours   ? by_fours<V>(t, x, w, n)
               : order == SumOrder::fused ? by_steps<V, true>(t, x, w, start, n)
                                          : by_steps<V, false>(t, x, w, start, n);
      if (t.bias) y = V::add_f(y, V::load_f(t.bias + c, n));
      V::store_f(t.out + p * t.channels + c, y, n);
    }
}

template <class V, int rows, int vecs>
constexpr void add_real_tiles(RealSet& set) {
  if constexpr (rows > 0) {
    set.tile[0][rows][vecs] = real_tile<V, true, rows, vecs>;
    set.tile[1][rows][vecs] = real_tile<V, false, rows, vecs>;
    add_real_tiles<V, rows - 1, vecs>(set);
  }
}

template <class V>
constexpr void add_real_lines(RealSet& set) {
  set.lanes = V::lanes;
  set.line[static_cast<int>(SumOrder::fused)] = real_line<V, SumOrder::fused>;
  set.line[static_cast<int>(SumOrder::fours)] = real_line<V, SumOrder::fours>;
  set.line[static_cast<int>(SumOrder::loops)] = real_line<V, SumOrder::loops>;
}

}  // namespace
}  // namespace lockstep
