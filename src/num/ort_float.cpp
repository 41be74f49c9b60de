// Float functions, means and sums in onnxruntime's order (N37 to N39).
#include "num/ort_float.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "num/ort_exponentials.h"

namespace lockstep {
namespace {

float clamped(float x, float low, float high) { return x < low ? low : x > high ? high : x; }

float horner(float x, std::span<const float> c) {
  float p = c[0];
  for (std::size_t i = 1; i < c.size(); ++i) p = std::fma(p, x, c[i]);
  return p;
}

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

// N37: x clamped to +-18, an odd polynomial over an even one, both by fused Horner steps.
float ort_sigmoid(float x) {
  static constexpr float odd[] = {4.37031012579801e-11f, 1.15627324459942e-07f, 6.08574864600143e-05f,
                                  8.51377133304701e-03f, 2.48287947061529e-01f};
  static constexpr float even[] = {6.10247389755681e-13f, 5.76102136993427e-09f, 6.29106785017040e-06f,
                                   1.70198817374094e-03f, 1.16817656904453e-01f, 9.93151921023180e-01f};
  const float v = clamped(x, -18.0f, 18.0f), square = v * v;
  const float y = v * horner(square, odd) / horner(square, even) + 0.5f;
  return y < 0.0f ? 0.0f : y;
}

float ort_tanh(float x) {
  static constexpr float odd[] = {-2.76076847742355e-16f, 2.00018790482477e-13f, -8.60467152213735e-11f,
                                  5.12229709037114e-08f, 1.48572235717979e-05f, 6.37261928875436e-04f,
                                  4.89352455891786e-03f};
  static constexpr float even[] = {1.19825839466702e-06f, 1.18534705686654e-04f, 2.26843463243900e-03f,
                                   4.89352518554385e-03f};
  const float v = clamped(x, -9.0f, 9.0f), square = v * v;
  return v * horner(square, odd) / horner(square, even);
}

// N38: 2^m * exp(r), r = x - m ln 2 in two fused steps, a polynomial of degree six.
float ort_exp(float x) {
  static constexpr float poly[] = {0x1.694000p-10f, 0x1.125edcp-7f, 0x1.555b5ap-5f, 0x1.555450p-3f,
                                   0x1.fffff6p-2f, 1.0f, 1.0f};
  constexpr float magic = 12582912.0f;  // adding and subtracting it rounds to an integer
  const float v = x < -103.9720840454f ? -103.9720840454f : x;
  const float m = std::fma(v, 1.44269504088896341f, magic) - magic;
  const float r = std::fma(m, -1.42860677e-6f, std::fma(m, -6.93145752e-1f, v));
  return std::ldexp(horner(r, poly), static_cast<int>(clamped(m, -400.0f, 400.0f)));
}

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
