#include "num/softmax_rows.h"

#include <algorithm>
#include <bit>

#include "num/device_tables.h"
#include "num/ort_codes.h"
#include "num/xnnpack.h"

#pragma GCC push_options
#pragma GCC optimize("O3", "fp-contract=off")

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
[[gnu::target("avx2")]] std::int32_t greatest_avx2(const std::byte* x, std::int64_t count,
                                                   bool is_signed) {
  return greatest(x, count, is_signed);
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
  // Products of the greatest terms may be infinite: what no int32 holds leaves the zero point.
  constexpr float far = 1 << 24, beyond = 2147483648.0f;
  const std::int32_t zero = s.y_zero, low = s.low, high = s.high;
  for (std::int64_t i = 0; i < count; ++i) {
    const float real = terms[i] * factor / sum, held = real >= beyond ? 0.0f : real;
    const float near = held > far ? far : held;
    std::int32_t code = static_cast<std::int32_t>(__builtin_rintf(near)) + zero;
    code = code < low ? low : code;
    code = code > high ? high : code;
    y[i] = static_cast<std::byte>(code);
  }
}
[[gnu::always_inline]] inline void SoftmaxOfCodes::finish(const Row& r) const {
  if (by_ort_) return codes_of_quotients(r.terms, r.y, count_, r.sum, factor_, scales_);
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
  const bool by_ort = &policy == &ort_softmax_codes;
  if ((!by_ort && &policy != &litert_softmax) || scales.y_scale <= 0x1p-20 || count < 1) return {};
  return SoftmaxOfCodes(scales, x_signed, count, by_ort);
}

SoftmaxOfCodes::SoftmaxOfCodes(const SoftmaxScales& scales, bool x_signed, std::int64_t count,
                               bool by_ort)
    : scales_(scales),
      x_signed_(x_signed),
      count_(count),
      step_((count + 15) / 16 * 16),
      by_ort_(by_ort),
      finish_(finish_portable),
      greatest_(greatest_portable) {
  if (by_ort_) {
    for (const double term : ort_exponentials(scales, count))
      terms_.push_back(static_cast<float>(term));
    factor_ = ort_softmax_factor(scales);
  } else {
    terms_ = litert_softmax_terms(scales);
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
template <bool is_signed, int rows>
void SoftmaxOfCodes::sum_terms(Row* row) const {
  using Code = std::conditional_t<is_signed, std::int8_t, std::uint8_t>;
  const float* from[rows];
  float sum[rows] = {};
  for (int r = 0; r < rows; ++r)
    from[r] = terms_.data() + most_distance - greatest_(row[r].x, count_, is_signed);
  for (std::int64_t i = 0; i < count_; ++i)
#pragma GCC unroll 8
    for (int r = 0; r < rows; ++r) {
      const float term = from[r][reinterpret_cast<const Code*>(row[r].x)[i]];
      row[r].terms[i] = term;
      sum[r] += term;
    }
  for (int r = 0; r < rows; ++r) row[r].sum = sum[r];
}

template <int rows>
void SoftmaxOfCodes::some(const std::byte* x, std::byte* y, float* room) const {
  Row row[rows];
  for (int r = 0; r < rows; ++r) row[r] = {x + r * count_, y + r * count_, room + r * step_, 0};
  x_signed_ ? sum_terms<true, rows>(row) : sum_terms<false, rows>(row);
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
