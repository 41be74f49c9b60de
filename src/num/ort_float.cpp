// Float functions, means and sums in onnxruntime's order (N37 to N39).
#include "num/ort_float.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "num/ort_exponentials.h"
#include "num/ort_lanes.h"

namespace lockstep {
namespace {

struct Span1 { std::int64_t begin, end; };
Span1 clipped(const WindowMeanProblem& p, int d, std::int64_t o) {
  const std::int64_t begin = o * p.strides[d] - p.pads_begin[d];
  return {std::max<std::int64_t>(begin, 0), std::min(begin + p.kernel[d], p.in[d])};
}

// One window, element by element.
float straight_sum(const WindowMeanProblem& p, const float* x, const Span1 (&s)[3]) {
  float sum = 0;
  for (std::int64_t i = s[0].begin; i < s[0].end; ++i)
    for (std::int64_t j = s[1].begin; j < s[1].end; ++j)
      for (std::int64_t k = s[2].begin; k < s[2].end; ++k) sum = sum + x[(i * p.in[1] + j) * p.in[2] + k];
  return sum;
}

// The sums of all columns of a line of windows; those of nothing are zero.
void column_sums(const WindowMeanProblem& p, const float* x, const Span1 (&s)[3], std::span<float> columns) {
  std::ranges::fill(columns, 0.0f);
  bool any = p.rank == 3;
  for (std::int64_t i = s[0].begin; i < s[0].end; ++i)
    for (std::int64_t j = s[1].begin; j < s[1].end; ++j, any = true) {
      const float* const line = x + (i * p.in[1] + j) * p.in[2];
      for (std::size_t k = 0; k < columns.size(); ++k) columns[k] = any ? columns[k] + line[k] : line[k];
    }
}

// One window of columns; those in the padding add zero.
float column_sum(const WindowMeanProblem& p, std::span<const float> columns, std::int64_t o) {
  float sum = 0;
  const std::int64_t first = o * p.strides[2] - p.pads_begin[2];
  for (std::int64_t k = first; k < first + p.kernel[2]; ++k) {
    const float column = k >= 0 && k < p.in[2] ? columns[static_cast<std::size_t>(k)] : 0.0f;
    sum = k == first ? column : sum + column;
  }
  return sum;
}

}  // namespace

float ort_sigmoid(float x) { return ort_lanes::sigmoid(x); }  // N37
float ort_tanh(float x) { return ort_lanes::tanh(x); }
float ort_exp(float x) { return ort_lanes::exp(x); }  // N38

void ort_softmax(std::span<const float> x, std::span<float> y) {
  if (x.empty()) return;
  ort_scale(y, 1.0f / ort_exponentials(x, ort_greatest(x), y));
}

void ort_log_softmax(std::span<const float> x, std::span<float> y) {
  if (x.empty()) return;
  const float top = ort_greatest(x), logarithm = std::log(ort_exponentials(x, top, y));
  for (std::size_t i = 0; i < x.size(); ++i) y[i] = (x[i] - top) - logarithm;
}

void ort_window_mean(const WindowMeanProblem& p) {
  const std::int64_t plane = p.in[0] * p.in[1] * p.in[2];
  const bool columns = p.rank >= 2 && p.strides[2] <= 2 && p.in[2] + p.pads_begin[2] + p.pads_end[2] <= 2045;
  std::vector<float> sums(columns ? static_cast<std::size_t>(p.in[2]) : 0);
  float* y = p.y;
  for (std::int64_t c = 0; c < p.planes; ++c) {
    const float* x = p.x + c * plane;
    for (std::int64_t a = 0; a < p.out[0]; ++a)
      for (std::int64_t b = 0; b < p.out[1]; ++b) {
        Span1 window[3] = {clipped(p, 0, a), clipped(p, 1, b), {0, 0}};
        if (columns) column_sums(p, x, window, sums);
        for (std::int64_t d = 0; d < p.out[2]; ++d) {
          window[2] = clipped(p, 2, d);
          const float sum = columns ? column_sum(p, sums, d) : straight_sum(p, x, window);
          std::int64_t n = 1;
          for (int i = 0; i < 3; ++i) n *= p.include_pad ? p.kernel[i] : window[i].end - window[i].begin;
          *y++ = sum / static_cast<float>(n);
        }
      }
  }
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
