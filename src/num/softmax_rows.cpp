#include "num/softmax_rows.h"

#include <algorithm>
#include <bit>
#include <cmath>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include "num/device_tables.h"
#include "num/ort_codes.h"
#include "num/xnnpack.h"

#pragma GCC push_options
// Sums of several rows stay in registers of their own: joined into one vector they go through
// memory.
#pragma GCC optimize("O3", "fp-contract=off", "no-tree-slp-vectorize")

namespace lockstep {
namespace {

constexpr std::ptrdiff_t most_distance = 255;

template <class Code>
[[gnu::always_inline]] inline std::int32_t greatest_of(const std::byte* x, std::int64_t count) {
  const auto* const codes = reinterpret_cast<const Code*>(x);
  Code most = codes[0];
  for (std::int64_t i = 1; i < count; ++i) most = codes[i] > most ? codes[i] : most;
  return most;
}
[[gnu::always_inline]] inline std::int32_t greatest(const std::byte* x, std::int64_t count,
                                                    bool is_signed) {
  return is_signed ? greatest_of<std::int8_t>(x, count) : greatest_of<std::uint8_t>(x, count);
}

std::int32_t greatest_portable(const std::byte* x, std::int64_t count, bool is_signed) {
  return greatest(x, count, is_signed);
}
#if defined(__x86_64__)
// Codes become keys whose least one is asked for: sixteen at once, then by their pairs.
[[gnu::target("avx2")]] std::int32_t greatest_avx2(const std::byte* x, std::int64_t count,
                                                   bool is_signed) {
  if (count < 16) return greatest(x, count, is_signed);
  const int flip = is_signed ? 0x7f : 0xff;
  const __m128i keys = _mm_set1_epi8(static_cast<char>(flip));
  const auto at = [&](std::int64_t k) {
    return _mm_xor_si128(_mm_loadu_si128(reinterpret_cast<const __m128i*>(x + k)), keys);
  };
  __m128i best = at(count - 16);
  for (std::int64_t k = 0; k + 16 < count; k += 16) best = _mm_min_epu8(best, at(k));
  best = _mm_minpos_epu16(_mm_min_epu8(best, _mm_srli_epi16(best, 8)));
  const int code = (_mm_cvtsi128_si32(best) & 0xff) ^ flip;
  return is_signed ? static_cast<std::int8_t>(code) : code;
}
#endif

}  // namespace

// N89: half up where codes start at 0, else ties away from zero.
template <bool from_zero>
[[gnu::always_inline]] inline void codes_of_shares(const float* terms, std::byte* y,
                                                   std::int64_t count, float sum,
                                                   const SoftmaxScales& s) {
  const float inverse = 1.0f / (sum * 0x1p-64f * static_cast<float>(s.y_scale));
  // A share below 2^-16 is code 0 whatever its last bits are. Terms are not negative: their bits
  // compare as they do.
  const auto least = std::bit_cast<std::int32_t>(inverse < 0x1p64f ? 0x1p-16f : 0.0f);
  const std::int32_t zero = s.y_zero, low = s.low, high = s.high;
  for (std::int64_t i = 0; i < count; ++i) {
    const auto bits = std::bit_cast<std::int32_t>(terms[i]);
    const float share =
        std::bit_cast<float>(bits & -static_cast<std::int32_t>(bits >= least)) * 0x1p-64f * inverse;
    std::int32_t code;
    if constexpr (from_zero) {
      code = static_cast<std::int32_t>(share + 0.5f);
    } else {
      const auto whole = static_cast<std::int32_t>(share);
      const float rest = share - static_cast<float>(whole);  // exact
      code = whole + static_cast<std::int32_t>(rest + rest) + zero;
    }
    code = code < low ? low : code;
    code = code > high ? high : code;
    y[i] = static_cast<std::byte>(code);
  }
}
// N28: half to even.
[[gnu::always_inline]] inline void codes_of_quotients(const float* terms, std::byte* y,
                                                      std::int64_t count, float sum, float factor,
                                                      const SoftmaxScales& s) {
  constexpr float far = 1 << 24;
  const std::int32_t zero = s.y_zero, low = s.low, high = s.high;
  for (std::int64_t i = 0; i < count; ++i) {
    const float real = terms[i] * factor / sum, near = real > far ? far : real;
    std::int32_t code = static_cast<std::int32_t>(__builtin_rintf(near)) + zero;
    code = code < low ? low : code;
    code = code > high ? high : code;
    y[i] = static_cast<std::byte>(code);
  }
}
// N89's logarithm: x's codes by one factor less what the row is worth, half to even.
template <class Code>
[[gnu::always_inline]] inline void codes_of_logarithms(const std::byte* x, std::byte* y,
                                                       std::int64_t count, float ratio,
                                                       float offset, const SoftmaxScales& s) {
  constexpr float far = 1 << 22;
  const std::int32_t zero = s.y_zero, low = s.low, high = s.high;
  const auto* const codes = reinterpret_cast<const Code*>(x);
  for (std::int64_t i = 0; i < count; ++i) {
    float real = ratio * static_cast<float>(codes[i]) - offset;
    real = real > far ? far : real;
    real = real < -far ? -far : real;
    std::int32_t code = static_cast<std::int32_t>(__builtin_rintf(real)) + zero;
    code = code < low ? low : code;
    code = code > high ? high : code;
    y[i] = static_cast<std::byte>(code);
  }
}
[[gnu::always_inline]] inline void SoftmaxOfCodes::finish(const Row& r) const {
  if (form_ == Form::quotients)
    return codes_of_quotients(r.terms, r.y, count_, r.sum, factor_, scales_);
  if (form_ == Form::logarithms) {
    const auto x_scale = static_cast<float>(scales_.x_scale),
               y_scale = static_cast<float>(scales_.y_scale), ratio = factor_;
    const float offset =
        (x_scale * static_cast<float>(r.greatest) + std::log(r.sum * 0x1p-64f)) / y_scale;
    return x_signed_ ? codes_of_logarithms<std::int8_t>(r.x, r.y, count_, ratio, offset, scales_)
                     : codes_of_logarithms<std::uint8_t>(r.x, r.y, count_, ratio, offset, scales_);
  }
  scales_.low == 0 ? codes_of_shares<true>(r.terms, r.y, count_, r.sum, scales_)
                   : codes_of_shares<false>(r.terms, r.y, count_, r.sum, scales_);
}
void SoftmaxOfCodes::finish_portable(const SoftmaxOfCodes& s, const Row& r) {
  s.finish(r);
}
#if defined(__x86_64__)
[[gnu::target("avx2")]] void SoftmaxOfCodes::finish_avx2(const SoftmaxOfCodes& s, const Row& r) {
  s.finish(r);
}
[[gnu::target("avx512f,avx512bw,avx512dq,avx512vl,prefer-vector-width=512")]] void
SoftmaxOfCodes::finish_avx512(const SoftmaxOfCodes& s, const Row& r) {
  s.finish(r);
}
#endif

std::optional<SoftmaxOfCodes> SoftmaxOfCodes::make(const SoftmaxPolicy& policy,
                                                   const SoftmaxScales& scales, bool x_signed,
                                                   std::int64_t count) {
  const Form form = &policy == &ort_softmax_codes    ? Form::quotients
                    : &policy == &litert_log_softmax ? Form::logarithms
                                                     : Form::shares;
  if ((form == Form::shares && &policy != &litert_softmax) || scales.y_scale <= 0x1p-20 ||
      count < 1)
    return {};
  SoftmaxOfCodes made(scales, x_signed, count, form);
  if (form == Form::quotients && std::isinf(made.terms_.back() * made.factor_)) return {};
  return made;
}

SoftmaxOfCodes::SoftmaxOfCodes(const SoftmaxScales& scales, bool x_signed, std::int64_t count,
                               Form form)
    : scales_(scales),
      x_signed_(x_signed),
      count_(count),
      step_((count + 15) / 16 * 16),
      form_(form),
      finish_(finish_portable),
      greatest_(greatest_portable) {
  if (form_ == Form::quotients) {
    for (const double term : ort_exponentials(scales, count))
      terms_.push_back(static_cast<float>(term));
    factor_ = ort_softmax_factor(scales);
  } else {
    terms_ = litert_softmax_terms(scales);
    factor_ = static_cast<float>(scales.x_scale) / static_cast<float>(scales.y_scale);
  }
  std::ranges::reverse(terms_);
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx2")) finish_ = finish_avx2, greatest_ = greatest_avx2;
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
      __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl"))
    finish_ = finish_avx512;
#endif
}

// Each row's terms are summed in the order of the row; the rows take turns, as no sum waits for
// another's.
template <bool is_signed, bool keep, int rows>
void SoftmaxOfCodes::sum_terms(Row* row) const {
  using Code = std::conditional_t<is_signed, std::int8_t, std::uint8_t>;
  const float* from[rows];
  const Code* x[rows];
  float sum[rows] = {};
  for (int r = 0; r < rows; ++r) {
    row[r].greatest = greatest_(row[r].x, count_, is_signed);
    from[r] = terms_.data() + most_distance - row[r].greatest;
    x[r] = reinterpret_cast<const Code*>(row[r].x);
  }
  for (std::int64_t i = 0; i < count_; ++i)
#pragma GCC unroll 8
    for (int r = 0; r < rows; ++r) {
      const float term = from[r][x[r][i]];
      if constexpr (keep) row[r].terms[i] = term;
      sum[r] += term;
    }
  for (int r = 0; r < rows; ++r) row[r].sum = sum[r];
}

template <int rows>
void SoftmaxOfCodes::some(const std::byte* x, std::byte* y, float* room) const {
  Row row[rows];
  for (int r = 0; r < rows; ++r) row[r] = {x + r * count_, y + r * count_, room + r * step_, 0, 0};
  if (form_ == Form::logarithms)
    x_signed_ ? sum_terms<true, false, rows>(row) : sum_terms<false, false, rows>(row);
  else
    x_signed_ ? sum_terms<true, true, rows>(row) : sum_terms<false, true, rows>(row);
  for (int r = 0; r < rows; ++r) finish_(*this, row[r]);
}

void SoftmaxOfCodes::run(const std::byte* x, std::byte* y, std::int64_t rows, float* room) const {
  std::int64_t r = 0;
  for (; r + rows_at_once <= rows; r += rows_at_once)
    some<rows_at_once>(x + r * count_, y + r * count_, room);
  for (; r < rows; ++r) some<1>(x + r * count_, y + r * count_, room);
}

}  // namespace lockstep

#pragma GCC pop_options
