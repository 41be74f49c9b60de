#pragma once

// Sums to the codes of means, V one of num/simd/. Included under the target of V, after
// num/mean_form.h.

namespace lockstep {
namespace {

// N86 for whole vectors of n sums, clamped to the reals of integers low and high; how many there
// were.
template <class V>
std::int64_t mean_codes(const std::int32_t* sums, std::int64_t n, const MeanForm& form, float low,
                        float high, std::byte* y) {
  const auto factor = V::set_f(form.factor), zero = V::set_f(form.zero), least = V::set_f(low),
             most = V::set_f(high);
  std::int64_t i = 0;
  for (; i + V::lanes <= n; i += V::lanes) {
    const auto v = V::add_f(V::mul_f(V::real(V::load(sums + i)), factor), zero);
    V::store_bytes(y + i, V::nearest_even(V::least_f(V::greatest_f(v, least), most)), V::lanes);
  }
  return i;
}

}  // namespace
}  // namespace lockstep
