// Sums over axes and normalizations in onnxruntime's order (N31, N39, N49).
#include "num/ort_reduce.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "num/ort_float.h"
#include "num/ort_functions.h"

namespace lockstep {
namespace {

using Span = std::span<const float>;
constexpr auto plus = [](float a, float b) { return a + b; };
constexpr auto times = [](float a, float b) { return a * b; };

// Two vectors of four in turn, joined, then what stands before and behind the aligned part (N39).
template <class Join>
float by_vectors(Span x, std::int64_t offset, Join join) {
  const auto n = static_cast<std::int64_t>(x.size());
  const std::int64_t head = std::min(n, (4 - offset % 4) % 4), fours = (n - head) / 4 * 4,
                     eights = (n - head) / 8 * 8;
  const auto at = [&](std::int64_t i) { return x[static_cast<std::size_t>(i)]; };
  if (fours == 0) {
    float s = n > 0 ? x[0] : join(0.0f, 0.0f);
    for (std::int64_t i = 1; i < n; ++i) s = join(s, at(i));
    return s;
  }
  float even[4], odd[4];
  for (int l = 0; l < 4; ++l) even[l] = at(head + l);
  if (fours > 4) {
    for (int l = 0; l < 4; ++l) odd[l] = at(head + 4 + l);
    for (std::int64_t i = head + 8; i < head + eights; i += 8)
      for (int l = 0; l < 4; ++l)
        even[l] = join(even[l], at(i + l)), odd[l] = join(odd[l], at(i + 4 + l));
    for (int l = 0; l < 4; ++l) even[l] = join(even[l], odd[l]);
    if (fours > eights)
      for (int l = 0; l < 4; ++l) even[l] = join(even[l], at(head + eights + l));
  }
  float s = join(join(even[0], even[2]), join(even[1], even[3]));
  for (std::int64_t i = 0; i < head; ++i) s = join(s, at(i));
  for (std::int64_t i = head + fours; i < n; ++i) s = join(s, at(i));
  return s;
}

// Extents in runs that are all kept or all reduced; extents of 1 say nothing.
struct Runs {
  std::vector<std::int64_t> extent;
  std::vector<bool> reduced;
};
Runs runs_of(std::span<const std::int64_t> shape, std::span<const std::uint8_t> reduced) {
  Runs r;
  for (std::size_t d = 0; d < shape.size(); ++d) {
    if (shape[d] == 1) continue;
    if (!r.extent.empty() && r.reduced.back() == (reduced[d] != 0))
      r.extent.back() *= shape[d];
    else
      r.extent.push_back(shape[d]), r.reduced.push_back(reduced[d] != 0);
  }
  return r;
}

// step(position in y, position in x) for every element of x in its order.
template <class Step>
void each_element(const Runs& r, std::size_t count, Step step) {
  for (std::size_t i = 0; i < count; ++i) {
    std::size_t rest = i, to = 0, kept = 1;
    for (std::size_t d = r.extent.size(); d-- > 0;) {
      const auto extent = static_cast<std::size_t>(r.extent[d]);
      if (!r.reduced[d]) to += rest % extent * kept, kept *= extent;
      rest /= extent;
    }
    step(to, i);
  }
}

// Sums of the four forms that the runtime treats by themselves; false for others.
bool sum_by_form(const Runs& r, Span x, std::span<float> y) {
  const std::size_t n = r.extent.size();
  const auto inner = n > 0 ? r.extent[n - 1] : 1;
  if (n <= 2 && (n == 0 || r.reduced[n - 1]))
    return ort_reduce_sum(x.data(), n == 2 ? r.extent[0] : 1, inner, 1, y.data()), true;
  if (n == 2) return ort_reduce_sum(x.data(), 1, r.extent[0], inner, y.data()), true;
  if (n == 3 && r.reduced[1])
    return ort_reduce_sum(x.data(), r.extent[0], r.extent[1], inner, y.data()), true;
  if (n != 3) return false;
  const auto row = static_cast<std::size_t>(inner), rows = static_cast<std::size_t>(r.extent[1]);
  for (std::size_t i = 0; i < static_cast<std::size_t>(r.extent[0]) * rows; ++i) {
    const float s = ort_vector_sum(x.subspan(i * row, row), static_cast<std::int64_t>(i * row));
    y[i % rows] = i < rows ? s : y[i % rows] + s;
  }
  return true;
}

// The greatest element of each group, then the logarithm of the sum of exponentials of distances
// from it.
void log_sum_exp(const Runs& r, Span x, std::span<float> y) {
  std::vector<float> top(y.size(), -HUGE_VALF);
  each_element(r, x.size(),
               [&](std::size_t to, std::size_t from) { top[to] = std::max(top[to], x[from]); });
  for (float& t : top)
    if (std::isinf(t)) t = 0;
  std::ranges::fill(y, 0.0f);
  each_element(r, x.size(),
               [&](std::size_t to, std::size_t from) { y[to] += std::exp(x[from] - top[to]); });
  for (std::size_t i = 0; i < y.size(); ++i) y[i] = std::log(y[i]) + top[i];
}

float term(RealReduction kind, float x) {
  if (kind == RealReduction::l1) return std::abs(x);
  return kind == RealReduction::l2 || kind == RealReduction::sum_square ? x * x : x;
}

// Sums and products of terms: of all elements by vectors, else one by one.
void join_terms(RealReduction kind, const Runs& r, bool whole, Span x, std::span<float> y) {
  const bool product = kind == RealReduction::product;
  if (whole) {
    std::vector<float> t(x.size());
    for (std::size_t i = 0; i < x.size(); ++i) t[i] = term(kind, x[i]);
    y[0] = product ? by_vectors(t, 0, times) : by_vectors(t, 0, plus);
    return;
  }
  std::ranges::fill(y, product ? 1.0f : 0.0f);
  each_element(r, x.size(), [&](std::size_t to, std::size_t from) {
    y[to] = product ? y[to] * x[from] : y[to] + term(kind, x[from]);
  });
}

}  // namespace

float ort_vector_sum(Span x, std::int64_t offset) {
  return by_vectors(x, offset, plus);
}

void ort_reduce_sum(const float* x, std::int64_t outer, std::int64_t reduced, std::int64_t inner,
                    float* y) {
  if (inner == 1) {
    for (std::int64_t o = 0; o < outer; ++o)
      y[o] = ort_vector_sum({x + o * reduced, static_cast<std::size_t>(reduced)}, o * reduced);
    return;
  }
  if (outer == 1) {
    std::copy_n(x, inner, y);
    for (std::int64_t r = 1; r < reduced; ++r)
      for (std::int64_t i = 0; i < inner; ++i) y[i] = y[i] + x[r * inner + i];
    return;
  }
  const std::vector<float> ones(static_cast<std::size_t>(reduced), 1.0f);
  for (std::int64_t o = 0; o < outer; ++o)
    ort_gemm({.m = 1,
              .n = inner,
              .k = reduced,
              .a = ones.data(),
              .lda = reduced,
              .b = x + o * reduced * inner,
              .ldb = inner,
              .c = y + o * inner,
              .ldc = inner});
}

void ort_reduce(RealReduction kind, Span x, std::span<const std::int64_t> shape,
                std::span<const std::uint8_t> reduced, std::span<float> y) {
  if (y.empty()) return;
  const Runs r = runs_of(shape, reduced);
  const bool sums = kind == RealReduction::sum || kind == RealReduction::mean;
  if (kind == RealReduction::log_sum_exp) return log_sum_exp(r, x, y);
  if (!sums || x.empty() ||
      !(r.extent.size() == 1 && !r.reduced[0] ? (std::ranges::copy(x, y.begin()), true)
                                              : sum_by_form(r, x, y)))
    join_terms(kind, r, std::ranges::all_of(reduced, [](std::uint8_t v) { return v != 0; }), x, y);
  if (kind == RealReduction::mean)
    for (float& v : y) v = v / static_cast<float>(x.size() / y.size());
  if (kind == RealReduction::l2)
    for (float& v : y) v = std::sqrt(v);
  if (kind == RealReduction::log_sum)
    for (float& v : y) v = std::log(v);
}

namespace {

#pragma GCC push_options
#pragma GCC optimize("O3", "fp-contract=off")
// Of a row of 8 elements or more, around its mean: eight fused lanes, the tail in fours.
[[gnu::always_inline]] inline float squares_around(const float* x, std::size_t n, float mean) {
  const std::size_t whole = n / 8 * 8, four = whole + (n - whole) / 4 * 4;
  float lane[8] = {};
  for (std::size_t i = 0; i < whole; i += 8)
    for (std::size_t l = 0; l < 8; ++l)
      lane[l] = __builtin_fmaf(x[i + l] - mean, x[i + l] - mean, lane[l]);
  for (int half = 4; half > 0; half /= 2)
    for (int l = 0; l < half; ++l) lane[l] = lane[l] + lane[l + half];
  float squares = lane[0];
  for (std::size_t i = whole; i < four; ++i) squares += (x[i] - mean) * (x[i] - mean);
  for (std::size_t i = four; i < n; ++i)
    squares = __builtin_fmaf(x[i] - mean, x[i] - mean, squares);
  return squares;
}

// N49, a row of 8 elements or more: the mean in double.
[[gnu::always_inline]] inline void normalize_long_row(Span x, float* y, const float* scale,
                                                      const float* bias, float epsilon) {
  const std::size_t n = x.size();
  const float* const from = x.data();
  double sum = 0;
  for (std::size_t i = 0; i < n; ++i) sum += static_cast<double>(from[i]);
  const auto mean = static_cast<float>(sum / static_cast<double>(n));
  const float factor =
      1.0f / std::sqrt(squares_around(from, n, mean) / static_cast<float>(n) + epsilon);
  if (bias)
    for (std::size_t i = 0; i < n; ++i)
      y[i] = __builtin_fmaf((from[i] - mean) * factor, scale[i], bias[i]);
  else
    for (std::size_t i = 0; i < n; ++i) y[i] = (from[i] - mean) * factor * scale[i];
}
#if defined(__x86_64__)
[[gnu::target("avx2,fma")]] void normalize_long_row_fma(Span x, float* y, const float* scale,
                                                        const float* bias, float epsilon) {
  normalize_long_row(x, y, scale, bias, epsilon);
}
#endif
#pragma GCC pop_options

void normalize_short_row(Span x, std::span<float> y, const float* scale, const float* bias,
                         float epsilon) {
  float mean = 0, squares = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const float d = x[i] - mean;
    mean += d / static_cast<float>(i + 1);
    squares += d * (x[i] - mean);
  }
  const float deviation = std::sqrt(squares / static_cast<float>(x.size()) + epsilon);
  for (std::size_t i = 0; i < x.size(); ++i) {
    const float v = (x[i] - mean) / deviation;
    y[i] = !bias ? v * scale[i] : v * scale[i] + bias[i];
  }
}

}  // namespace

void ort_normalize_row(Span x, std::span<float> y, const float* scale, const float* bias,
                       float epsilon) {
  if (x.size() < 8) return normalize_short_row(x, y, scale, bias, epsilon);
#if defined(__x86_64__)
  static const bool fuses = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  if (fuses) return normalize_long_row_fma(x, y.data(), scale, bias, epsilon);
#endif
  normalize_long_row(x, y.data(), scale, bias, epsilon);
}

// N49: one factor and one addend for the plane.
void ort_normalize_plane(Span x, std::span<float> y, float scale, float bias, float epsilon,
                         std::int64_t offset) {
  const auto count = static_cast<float>(x.size());
  const float mean = ort_vector_sum(x, offset) / count;
  std::vector<float> squares(x.size());
  for (std::size_t i = 0; i < x.size(); ++i) squares[i] = (x[i] - mean) * (x[i] - mean);
  const float factor = 1.0f / std::sqrt(ort_vector_sum(squares, 0) / count + epsilon) * scale;
  const float addend = bias - mean * factor;
  for (std::size_t i = 0; i < x.size(); ++i) y[i] = x[i] * factor + addend;
}

}  // namespace lockstep
