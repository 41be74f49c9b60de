// Float functions, means and sums in onnxruntime's order (N37 to N39).
#include "num/ort_float.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "num/ort_exponentials.h"
#include "num/ort_lanes.h"

namespace lockstep {
namespace {

struct Span1 {
  std::int64_t begin, end;
};
Span1 clipped(const WindowMeanProblem& p, int d, std::int64_t o) {
  const std::int64_t begin = o * p.strides[d] - p.pads_begin[d];
  return {std::max<std::int64_t>(begin, 0), std::min(begin + p.kernel[d], p.in[d])};
}

// One window, element by element.
float straight_sum(const WindowMeanProblem& p, const float* x, const Span1 (&s)[3]) {
  float sum = 0;
  for (std::int64_t i = s[0].begin; i < s[0].end; ++i)
    for (std::int64_t j = s[1].begin; j < s[1].end; ++j)
      for (std::int64_t k = s[2].begin; k < s[2].end; ++k)
        sum = sum + x[(i * p.in[1] + j) * p.in[2] + k];
  return sum;
}

constexpr std::int64_t most_columns = 2048;  // of a padded line that is summed by columns

#pragma GCC push_options
#pragma GCC optimize("O3")
// The sums of all columns of a line of windows; those of nothing are zero.
void column_sums(const WindowMeanProblem& p, const float* x, const Span1 (&s)[3], float* columns) {
  const std::int64_t width = p.in[2];
  bool any = p.rank == 3;
  for (std::int64_t k = 0; k < width; ++k) columns[k] = 0.0f;
  for (std::int64_t i = s[0].begin; i < s[0].end; ++i)
    for (std::int64_t j = s[1].begin; j < s[1].end; ++j, any = true) {
      const float* const line = x + (i * p.in[1] + j) * width;
      if (any)
        for (std::int64_t k = 0; k < width; ++k) columns[k] = columns[k] + line[k];
      else
        for (std::int64_t k = 0; k < width; ++k) columns[k] = line[k];
    }
}

// What divides the sums of a line of windows, from its rows and the columns of each.
void line_taps(std::int32_t rows, const std::int32_t* __restrict across, std::int64_t count,
               float* __restrict n) {
  for (std::int64_t d = 0; d < count; ++d) n[d] = static_cast<float>(rows * across[d]);
}

// The means of a line of windows: `columns` are padded with zeros.
void line_means(const float* __restrict columns, std::int64_t stride, std::int64_t kernel,
                const float* __restrict n, std::int64_t count, float* __restrict y) {
  for (std::int64_t d = 0; d < count; ++d) y[d] = columns[d * stride];
  for (std::int64_t k = 1; k < kernel; ++k)
    if (stride == 1)
      for (std::int64_t d = 0; d < count; ++d) y[d] = y[d] + columns[d + k];
    else
      for (std::int64_t d = 0; d < count; ++d) y[d] = y[d] + columns[d * stride + k];
  for (std::int64_t d = 0; d < count; ++d) y[d] = y[d] / n[d];
}
#pragma GCC pop_options

std::int64_t taps(const WindowMeanProblem& p, int d, const Span1& s) {
  return p.include_pad ? p.kernel[d] : s.end - s.begin;
}

// Lines of windows by the sums of their columns.
class MeansByColumns {
 public:
  explicit MeansByColumns(const WindowMeanProblem& p) : p_(p) {
    for (std::int64_t d = 0; d < p.out[2]; ++d)
      across_[d] = static_cast<std::int32_t>(taps(p, 2, clipped(p, 2, d)));
    const std::int64_t before = p.pads_begin[2], inside = before + p.in[2],
                       reach = std::max(inside, (p.out[2] - 1) * p.strides[2] + p.kernel[2]);
    std::fill_n(columns_, before, 0.0f);
    std::fill(columns_ + inside, columns_ + reach, 0.0f);
  }

  void line(const float* x, const Span1 (&window)[3], float* y) {
    column_sums(p_, x, window, columns_ + p_.pads_begin[2]);
    const auto rows = static_cast<std::int32_t>(taps(p_, 0, window[0]) * taps(p_, 1, window[1]));
    if (rows != rows_) line_taps(rows, across_, p_.out[2], n_);
    rows_ = rows;
    line_means(columns_, p_.strides[2], p_.kernel[2], n_, p_.out[2], y);
  }

 private:
  const WindowMeanProblem& p_;
  std::int32_t rows_ = -1, across_[most_columns];
  float columns_[most_columns], n_[most_columns];
};

void means_by_columns(const WindowMeanProblem& p) {
  MeansByColumns means(p);
  const std::int64_t plane = p.in[0] * p.in[1] * p.in[2];
  float* y = p.y;
  for (std::int64_t c = 0; c < p.planes; ++c)
    for (std::int64_t a = 0; a < p.out[0]; ++a)
      for (std::int64_t b = 0; b < p.out[1]; ++b, y += p.out[2])
        means.line(p.x + c * plane, {clipped(p, 0, a), clipped(p, 1, b), {0, 0}}, y);
}

void means_one_by_one(const WindowMeanProblem& p) {
  const std::int64_t plane = p.in[0] * p.in[1] * p.in[2];
  float* y = p.y;
  for (std::int64_t c = 0; c < p.planes; ++c)
    for (std::int64_t a = 0; a < p.out[0]; ++a)
      for (std::int64_t b = 0; b < p.out[1]; ++b)
        for (std::int64_t d = 0; d < p.out[2]; ++d) {
          const Span1 window[3] = {clipped(p, 0, a), clipped(p, 1, b), clipped(p, 2, d)};
          std::int64_t n = 1;
          for (int i = 0; i < 3; ++i) n *= taps(p, i, window[i]);
          *y++ = straight_sum(p, p.x + c * plane, window) / static_cast<float>(n);
        }
}

}  // namespace

float ort_sigmoid(float x) {
  return ort_lanes::sigmoid(x);
}  // N37
float ort_tanh(float x) {
  return ort_lanes::tanh(x);
}
float ort_exp(float x) {
  return ort_lanes::exp(x);
}  // N38

void ort_softmax(std::span<const float> x, std::span<float> y) {
  if (x.empty()) return;
  ort_scale(y, 1.0f / ort_exponentials(x, ort_greatest(x), y));
}

void ort_log_softmax(std::span<const float> x, std::span<float> y) {
  if (x.empty()) return;
  const float top = ort_greatest(x), logarithm = std::log(ort_exponentials(x, top, y));
  for (std::size_t i = 0; i < x.size(); ++i) y[i] = (x[i] - top) - logarithm;
}

bool ort_mean_is_whole(const WindowMeanProblem& p) {
  for (int d = 0; d < 3; ++d)
    if (p.kernel[d] != p.in[d] || p.strides[d] != 1 || p.pads_begin[d] != 0 || p.pads_end[d] != 0)
      return false;
  return true;
}

bool ort_means_by_columns(const WindowMeanProblem& p) {
  return p.rank >= 2 && p.strides[2] <= 2 && std::ranges::max(p.kernel) <= 32 &&
         p.in[2] + p.pads_begin[2] + p.pads_end[2] <= 2045;
}

void ort_window_mean(const WindowMeanProblem& p) {
  if (ort_mean_is_whole(p)) return ort_plane_mean(p.x, p.planes, p.in[0] * p.in[1] * p.in[2], p.y);
  ort_means_by_columns(p) ? means_by_columns(p) : means_one_by_one(p);
}

void ort_plane_mean(const float* x, std::int64_t planes, std::int64_t count, float* y) {
  for (std::int64_t p = 0; p < planes; ++p, x += count) {
    float lane[4] = {};
    std::int64_t i = 0;
    for (; i + 4 <= count; i += 4)
      for (int l = 0; l < 4; ++l) lane[l] = lane[l] + x[i + l];
    float sum = (lane[0] + lane[2]) + (lane[1] + lane[3]);
    for (; i < count; ++i) sum = sum + x[i];
    y[p] = sum / static_cast<float>(count);
  }
}

}  // namespace lockstep
