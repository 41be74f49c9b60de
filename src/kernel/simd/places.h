#pragma once

// Elements at the same place, over V of num/simd/ and P of kernel/simd/parts_*.h, which packs.
// Included under the target of V.

namespace lockstep {
namespace {

template <class V>
typename V::I load_codes(const std::byte* p, std::int64_t n, bool is_signed) {
  return is_signed ? V::load_signed_bytes(p, n) : V::load_unsigned_bytes(p, n);
}

// Codes of one byte and of 16 bits: n elements from the i-th on.
template <class V, class P>
struct ByteCodes {
  static typename V::I load(const std::byte* p, std::int64_t i, std::int64_t n, bool is_signed) {
    return load_codes<V>(p + i, n, is_signed);
  }
  static void store(std::byte* p, std::int64_t i, typename V::I v, std::int64_t n) {
    V::store_bytes(p + i, v, n);
  }
};
template <class V, class P>
struct WordCodes {
  static typename V::I load(const std::byte* p, std::int64_t i, std::int64_t n, bool) {
    return P::load_16bit(p + 2 * i, n);
  }
  static void store(std::byte* p, std::int64_t i, typename V::I v, std::int64_t n) {
    P::store_16bit(p + 2 * i, v, n);
  }
};

// Codes f(i, n) of the n elements from i on, of which the last may be fewer than lanes: not
// clamped, and `zero` lower than they are. Four vectors at once are packed.
template <class V, class P, class F>
[[gnu::always_inline]] inline void in_fours(const PlaceCall& c, std::int32_t zero, std::int32_t low,
                                            std::int32_t high, F&& f) {
  std::int64_t i = 0;
  for (; i + 4 * V::lanes <= c.count; i += 4 * V::lanes) {
    const typename V::I v[4] = {f(i, V::lanes), f(i + V::lanes, V::lanes),
                                f(i + 2 * V::lanes, V::lanes), f(i + 3 * V::lanes, V::lanes)};
    V::store(c.y + i, P::in_order(codes_of_nearest<P>(v, zero, low, high, c.y_signed)));
  }
  const auto least = V::set(low), greatest = V::set(high), z = V::set(zero);
  for (; i < c.count; i += V::lanes) {
    const std::int64_t n = c.count - i;
    V::store_bytes(c.y + i, V::least(V::greatest(V::add(f(i, n), z), least), greatest), n);
  }
}

// Reals that become codes: cut where every code is far below, so that they keep their sign; far
// above zero on the other side the conversion itself yields the least integer.
template <class V>
[[gnu::always_inline]] inline typename V::I nearest_below(typename V::F v) {
  return V::nearest_even(V::least_f(v, V::set_f(16384.0f)));
}

// N20
template <class V>
void quantize_places(const PlaceCall& c) {
  const auto low = V::set_f(static_cast<float>(c.low - c.zero)),
             high = V::set_f(static_cast<float>(c.high - c.zero));
  const auto scale = V::set_f(c.scale);
  const auto zero = V::set(c.zero);
  const auto* const x = reinterpret_cast<const float*>(c.a);
  for (std::int64_t i = 0; i < c.count; i += V::lanes) {
    const std::int64_t n = c.count - i;
    const auto v = V::div_f(n >= V::lanes ? V::load_f(x + i) : V::load_f(x + i, n), scale);
    const auto code = V::nearest_even(V::least_f(V::greatest_f(V::number_or(v, low), low), high));
    V::store_bytes(c.y + i, V::add(code, zero), n);
  }
}

// N83: as N20, but times the reciprocal of the step; what is no number is the least code, and then
// shifted.
template <class V>
void quantize_product_places(const PlaceCall& c) {
  const auto low = V::set_f(static_cast<float>(c.low - c.zero)),
             high = V::set_f(static_cast<float>(c.high - c.zero));
  const auto inverse = V::set_f(1.0f / c.scale), none = V::set_f(static_cast<float>(c.low));
  const auto zero = V::set(c.zero);
  const auto* const x = reinterpret_cast<const float*>(c.a);
  for (std::int64_t i = 0; i < c.count; i += V::lanes) {
    const std::int64_t n = c.count - i;
    const auto v = V::mul_f(n >= V::lanes ? V::load_f(x + i) : V::load_f(x + i, n), inverse);
    const auto code = V::nearest_even(V::least_f(V::greatest_f(V::number_or(v, none), low), high));
    V::store_bytes(c.y + i, V::add(code, zero), n);
  }
}

// N21
template <class V>
void dequantize_places(const PlaceCall& c) {
  const auto scale = V::set_f(c.scale);
  const auto zero = V::set(c.zero);
  auto* const y = reinterpret_cast<float*>(c.y);
  for (std::int64_t i = 0; i < c.count; i += V::lanes) {
    const std::int64_t n = c.count - i;
    const auto v = V::mul_f(V::real(V::sub(load_codes<V>(c.a + i, n, c.a_signed), zero)), scale);
    if (n >= V::lanes)
      V::store_f(y + i, v);
    else
      V::store_f(y + i, v, n);
  }
}

// N23
template <class V, class P>
void add_nearest_places(const PlaceCall& c) {
  const BinaryState& s = *c.state;
  const auto ra = V::set_f(s.a.factor), rb = V::set_f(s.b.factor), start = V::set_f(s.y.factor);
  const auto a_shift = V::set(c.a_shift), b_shift = V::set(c.b_shift);
  in_fours<V, P>(
      c, -c.y_shift, s.s.low - c.y_shift,
      s.s.high - c.y_shift, [&](std::int64_t i, std::int64_t n) __attribute__((always_inline)) {
        const auto a = V::real(V::add(load_codes<V>(c.a + i, n, c.a_signed), a_shift));
        const auto b = V::real(V::add(load_codes<V>(c.b + i, n, c.b_signed), b_shift));
        return nearest_below<V>(V::fma(a, ra, V::fma(b, rb, start)));
      });
}

// N24
template <class V, class P>
void mul_nearest_places(const PlaceCall& c) {
  const BinaryState& s = *c.state;
  const auto factor = V::set_f(s.y.factor), zero = V::set_f(static_cast<float>(s.s.y_zero));
  const auto a_zero = V::set(s.s.a_zero - c.a_shift), b_zero = V::set(s.s.b_zero - c.b_shift);
  in_fours<V, P>(
      c, -c.y_shift, s.s.low - c.y_shift,
      s.s.high - c.y_shift, [&](std::int64_t i, std::int64_t n) __attribute__((always_inline)) {
        // Distances of codes are below 2^9: their product as a real is exact.
        const auto a = V::real(V::sub(load_codes<V>(c.a + i, n, c.a_signed), a_zero));
        const auto b = V::real(V::sub(load_codes<V>(c.b + i, n, c.b_signed), b_zero));
        return nearest_below<V>(V::add_f(V::mul_f(V::mul_f(a, b), factor), zero));
      });
}

// N82
template <class V, class P>
void mul_nearest_by_zero_places(const PlaceCall& c) {
  const BinaryState& s = *c.state;
  const auto factor = V::set_f(s.y.factor);
  const auto a_zero = V::set(s.s.a_zero), b_zero = V::set(s.s.b_zero);
  in_fours<V, P>(
      c, s.s.y_zero, s.s.low,
      s.s.high, [&](std::int64_t i, std::int64_t n) __attribute__((always_inline)) {
        const auto a = V::real(V::sub(load_codes<V>(c.a + i, n, c.a_signed), a_zero));
        const auto b = V::real(V::sub(load_codes<V>(c.b + i, n, c.b_signed), b_zero));
        return nearest_below<V>(V::mul_f(V::mul_f(a, b), factor));
      });
}

// N60
template <class V, class C>
void mul_twice_places(const PlaceCall& c) {
  const BinaryState& s = *c.state;
  const auto a_zero = V::set(s.s.a_zero), b_zero = V::set(s.s.b_zero), zero = V::set(s.s.y_zero),
             low = V::set(s.s.low), high = V::set(s.s.high), multiplier = V::set(s.y.multiplier),
             left = V::set(s.y.shift > 0 ? s.y.shift : 0),
             right = V::set(s.y.shift < 0 ? -s.y.shift : 0);
  for (std::int64_t i = 0; i < c.count; i += V::lanes) {
    const std::int64_t n = c.count - i;
    const auto product = V::mul(V::sub(C::load(c.a, i, n, c.a_signed), a_zero),
                                V::sub(C::load(c.b, i, n, c.b_signed), b_zero));
    const auto code = V::add(fixed_twice<V>(product, multiplier, left, right), zero);
    C::store(c.y, i, V::least(V::greatest(code, low), high), n);
  }
}

// N59, or N110's vectors, which cut codes of one byte to 16 bits on the way.
enum class GridSum { twice, once, floor };
template <class V>
typename V::I shifted_by(typename V::I v, int by) {
  return by >= 0 ? V::shift_left(v, V::set(by)) : V::shift_right(v, V::set(by < -31 ? 31 : -by));
}
template <class V, bool cuts>
typename V::I to_16bit(typename V::I v) {
  return cuts ? V::shift_right(V::shift_left(v, V::set(16)), V::set(16)) : v;
}
template <class V, class C, GridSum how, bool cuts = false>
void add_grid_places(const PlaceCall& c) {
  const BinaryState& s = *c.state;
  const int none = 0;
  const auto grid = [&](typename V::I code, std::int32_t zero, const Rescale& r) {
    const auto distance = V::sub(code, V::set(zero));
    if constexpr (how == GridSum::once)
      return fixed_twice<V>(shifted_by<V>(distance, s.left_shift + r.shift), V::set(r.multiplier),
                            V::set(none), V::set(none));
    const auto x = V::shift_left(distance, V::set(s.left_shift));
    if constexpr (how == GridSum::floor)
      return shifted_by<V>(fixed_twice<V>(x, V::set(r.multiplier), V::set(none), V::set(none)),
                           r.shift);
    return fixed_twice<V>(x, V::set(r.multiplier), V::set(r.shift > 0 ? r.shift : 0),
                          V::set(r.shift < 0 ? -r.shift : 0));
  };
  const auto low = V::set(s.s.low), high = V::set(s.s.high), zero = V::set(s.s.y_zero),
             shift = V::set(c.y_shift);
  for (std::int64_t i = 0; i < c.count; i += V::lanes) {
    const std::int64_t n = c.count - i;
    const auto sum = V::add(grid(C::load(c.a, i, n, c.a_signed), s.s.a_zero - c.a_shift, s.a),
                            grid(C::load(c.b, i, n, c.b_signed), s.s.b_zero - c.b_shift, s.b));
    const auto scaled =
        fixed_twice<V>(sum, V::set(s.y.multiplier), V::set(s.y.shift > 0 ? s.y.shift : 0),
                       V::set(s.y.shift < 0 ? -s.y.shift : 0));
    const auto code = to_16bit<V, cuts>(V::add(to_16bit<V, cuts>(scaled), zero));
    C::store(c.y, i, V::sub(V::least(V::greatest(code, low), high), shift), n);
  }
}

// ((a - a_zero) * m_a + (b - b_zero) * m_b + 2^(s-1)) / 2^s, half up; multipliers have 21 bits.
template <class V, class P>
void add_half_up_places(const PlaceCall& c) {
  const BinaryState& s = *c.state;
  const auto a_factor = V::set(s.a.multiplier), b_factor = V::set(s.b.multiplier),
             by = V::set(s.y.shift);
  const auto start =
      V::set((1 << (s.y.shift - 1)) - s.s.a_zero * s.a.multiplier - s.s.b_zero * s.b.multiplier);
  in_fours<V, P>(
      c, s.s.y_zero, s.s.low,
      s.s.high, [&](std::int64_t i, std::int64_t n) __attribute__((always_inline)) {
        const auto a = V::mul(load_codes<V>(c.a + i, n, c.a_signed), a_factor),
                   b = V::mul(load_codes<V>(c.b + i, n, c.b_signed), b_factor);
        return V::shift_right(V::add(V::add(a, start), b), by);
      });
}

template <class V, class F>
void reals_places(const PlaceCall& c, F&& f) {
  const auto *a = reinterpret_cast<const float*>(c.a), *b = reinterpret_cast<const float*>(c.b);
  auto* const y = reinterpret_cast<float*>(c.y);
  std::int64_t i = 0;
  for (; i + V::lanes <= c.count; i += V::lanes)
    V::store_f(y + i, f(V::load_f(a + i), V::load_f(b + i)));
  if (i < c.count)
    V::store_f(y + i, f(V::load_f(a + i, c.count - i), V::load_f(b + i, c.count - i)), c.count - i);
}
template <class V>
void add_places(const PlaceCall& c) {
  reals_places<V>(c, [](auto a, auto b) { return V::add_f(a, b); });
}
template <class V>
void sub_places(const PlaceCall& c) {
  reals_places<V>(c, [](auto a, auto b) { return V::sub_f(a, b); });
}
template <class V>
void mul_places(const PlaceCall& c) {
  reals_places<V>(c, [](auto a, auto b) { return V::mul_f(a, b); });
}

template <class V, class P>
constexpr PlaceSet place_set() {
  return {quantize_places<V>,
          quantize_product_places<V>,
          dequantize_places<V>,
          add_nearest_places<V, P>,
          mul_nearest_places<V, P>,
          mul_nearest_by_zero_places<V, P>,
          mul_twice_places<V, ByteCodes<V, P>>,
          add_grid_places<V, ByteCodes<V, P>, GridSum::twice>,
          add_half_up_places<V, P>,
          add_places<V>,
          sub_places<V>,
          mul_places<V>,
          mul_twice_places<V, WordCodes<V, P>>,
          add_grid_places<V, WordCodes<V, P>, GridSum::twice>,
          add_grid_places<V, WordCodes<V, P>, GridSum::once>,
          add_grid_places<V, ByteCodes<V, P>, GridSum::once, true>,
          add_grid_places<V, ByteCodes<V, P>, GridSum::floor, true>};
}

}  // namespace
}  // namespace lockstep
