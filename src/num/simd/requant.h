#pragma once

// Requantization of many accumulators at once, V one of num/simd/. Bit for bit what the policies of
// num/ yield; included under the target of V.

namespace lockstep {
namespace {

// N22: nearest_even(clamp(float(acc) * factor, low, high)); low and high are reals of integers.
template <class V>
[[gnu::always_inline]] inline typename V::I float_nearest(typename V::I acc, typename V::F factor,
                                                          typename V::F low, typename V::F high) {
  const auto v = V::mul_f(V::real(acc), factor);
  return V::nearest_even(V::least_f(V::greatest_f(v, low), high));
}

// N22 before the clamp: what is far above every code is cut, so that it keeps its sign; far below,
// the conversion itself yields the least integer.
template <class V>
[[gnu::always_inline]] inline typename V::I float_nearest_wide(typename V::I acc,
                                                               typename V::F factor) {
  return V::nearest_even(V::least_f(V::mul_f(V::real(acc), factor), V::set_f(1024.0f)));
}

// Four vectors of float_nearest_wide to bytes, in the order that packing leaves within 128 bits:
// the types' own saturation on the way, zero point and clamp. P packs (kernel/simd/parts_*.h).
template <class P, class I>
[[gnu::always_inline]] inline I codes_of_nearest(const I (&v)[4], std::int32_t zero,
                                                 std::int32_t low, std::int32_t high,
                                                 bool is_signed) {
  const I z = P::set_words(zero);
  const I first = P::add_words(P::words(v[0], v[1]), z),
          second = P::add_words(P::words(v[2], v[3]), z);
  if (is_signed) return P::clamp_signed(P::signed_bytes(first, second), low, high);
  return P::clamp_unsigned(P::unsigned_bytes(first, second), low, high);
}

// N52: x / 2^e, ties away from zero.
template <class V>
[[gnu::always_inline]] inline typename V::I divide_by_power(typename V::I x, typename V::I e) {
  const auto one = V::set(1);
  const auto rest = V::sub(V::shift_left(one, e), one);
  const auto below = V::shift_right(x, V::set(31));  // -1 for negative x
  const auto threshold = V::sub(V::shift_right(rest, one), below);
  return V::add_if_greater(V::shift_right(x, e), V::bit_and(x, rest), threshold);
}

// N53: (x * 2^left) times the multiplier, rounded twice.
template <class V>
[[gnu::always_inline]] inline typename V::I fixed_twice(typename V::I x, typename V::I multiplier,
                                                        typename V::I left, typename V::I right) {
  return divide_by_power<V>(V::high_mul(V::shift_left(x, left), multiplier), right);
}

}  // namespace
}  // namespace lockstep
