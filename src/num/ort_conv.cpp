// Float convolutions in onnxruntime's order (N33 to N35).
#include <algorithm>
#include <cmath>
#include <vector>

#include "num/ort_float.h"

namespace lockstep {
namespace {

struct Extents {
  std::int64_t in, out, window,
      depth;  // elements of a plane, of an output plane, of a kernel; channels * window
};

Extents extents_of(const ConvolutionProblem& p) {
  Extents e{1, 1, 1, 0};
  for (int d = 0; d < 3; ++d) e.in *= p.in[d], e.out *= p.out[d], e.window *= p.kernel[d];
  e.depth = p.channels * e.window;
  return e;
}

// Where kernel element t reads for output position o; -1 in the padding.
std::int64_t source_of(const ConvolutionProblem& p, const std::int64_t (&o)[3],
                       const std::int64_t (&t)[3]) {
  std::int64_t at = 0;
  for (int d = 0; d < 3; ++d) {
    const std::int64_t i = o[d] * p.strides[d] + t[d] * p.dilations[d] - p.pads_begin[d];
    if (i < 0 || i >= p.in[d]) return -1;
    at = at * p.in[d] + i;
  }
  return at;
}

template <class F>
void for_each(const std::int64_t (&extent)[3], F&& f) {
  std::int64_t i[3];
  for (i[0] = 0; i[0] < extent[0]; ++i[0])
    for (i[1] = 0; i[1] < extent[1]; ++i[1])
      for (i[2] = 0; i[2] < extent[2]; ++i[2]) f(i);
}

// The order of k: channel, then window (the file's own), or channel block, window, channel in the
// block.
struct DepthOrder {
  std::int64_t step = 1;
};

// Calls f(row of k, channel, window index, window position) in the order of k.
template <class F>
void for_each_depth(const ConvolutionProblem& p, DepthOrder order, F&& f) {
  std::int64_t row = 0;
  for (std::int64_t c0 = 0; c0 < p.channels; c0 += order.step) {
    std::int64_t t_index = 0;
    for_each(p.kernel, [&](const auto& t) {
      for (std::int64_t c = c0; c < std::min(p.channels, c0 + order.step); ++c)
        f(row++, c, t_index, t);
      ++t_index;
    });
  }
}

// columns[k, o - first]: the inputs that output o multiplies with weight k; zero in the padding.
void unfold(const ConvolutionProblem& p, const Extents& e, DepthOrder order, const float* x,
            std::int64_t first, std::int64_t count, std::vector<float>& columns) {
  columns.resize(static_cast<std::size_t>(e.depth * count));
  for_each_depth(p, order, [&](std::int64_t row, std::int64_t c, std::int64_t, const auto& t) {
    float* to = columns.data() + row * count;
    std::int64_t o[3] = {first / p.out[2] / p.out[1], first / p.out[2] % p.out[1],
                         first % p.out[2]};
    for (std::int64_t i = 0; i < count; ++i) {
      const std::int64_t at = source_of(p, o, t);
      to[i] = at < 0 ? 0.0f : x[c * e.in + at];
      if (++o[2] == p.out[2]) o[2] = 0, ++o[1];
      if (o[1] == p.out[1]) o[1] = 0, ++o[0];
    }
  });
}

struct Plain {
  bool strides = true, dilations = true, pads = true;
};  // all one, all one, all zero
Plain plain_of(const ConvolutionProblem& p) {
  Plain q;
  for (int d = 0; d < 3; ++d) {
    q.strides &= p.strides[d] == 1;
    q.dilations &= p.dilations[d] == 1;
    q.pads &= p.pads_begin[d] == 0 && p.pads_end[d] == 0;
  }
  return q;
}

// N34: output columns and k cut into segments, each segment a product of its own.
void segmented(const ConvolutionProblem& p, const Extents& e, const float* x,
               const OrtGemm& whole) {
  std::int64_t columns = 128, block = 128;
  if (whole.n >= whole.k)
    while (block / 2 >= whole.k) columns *= 2, block /= 2;
  else
    while (columns > 16 && columns / 2 >= whole.n) block *= 2, columns /= 2;
  std::vector<float> part;
  for (std::int64_t n = 0; n < whole.n; n += columns) {
    OrtGemm g = whole;
    g.n = std::min(columns, whole.n - n);
    g.c += n;
    g.ldb = g.n;
    unfold(p, e, {}, x, n, g.n, part);
    for (std::int64_t k = 0; k < whole.k; k += block) {
      g.k = std::min(block, whole.k - k);
      g.a = whole.a + k;
      g.b = part.data() + k * g.n;
      g.add = k > 0;
      ort_gemm(g);
    }
  }
}

// The one depthwise case with a kernel of its own: 7x7, stride 2, padding 3, two filters a channel
// (N35).
bool is_paired_depthwise(const ConvolutionProblem& p) {
  if (p.rank != 2 || p.channels != 1 || p.filters != 2 || !plain_of(p).dilations) return false;
  for (int d = 1; d < 3; ++d)
    if (p.kernel[d] != 7 || p.strides[d] != 2 || p.pads_begin[d] != 3 || p.pads_end[d] != 3)
      return false;
  return true;
}

float paired_depthwise_at(const ConvolutionProblem& p, const float* x, const float* w,
                          const std::int64_t (&o)[3]) {
  const std::int64_t top = o[1] * 2 - 3, left = o[2] * 2 - 3;
  const bool inside = top >= 0 && left >= 0 && top + 7 <= p.in[1] && left + 7 <= p.in[2];
  if (!inside) {
    float acc = 0;
    for_each(p.kernel, [&](const auto& t) {
      const std::int64_t at = source_of(p, o, t);
      if (at >= 0) acc = std::fma(x[at], w[t[1] * 7 + t[2]], acc);
    });
    return acc;
  }
  float lane[8] = {};
  for (std::int64_t i = 0; i < 7; ++i)
    for (std::int64_t j = 0; j < 7; ++j)
      lane[j] = std::fma(x[(top + i) * p.in[2] + left + j], w[i * 7 + j], lane[j]);
  const float even = (lane[0] + lane[4]) + (lane[2] + lane[6]),
              odd = (lane[1] + lane[5]) + (lane[3] + lane[7]);
  return even + odd;
}

void add_bias(const ConvolutionProblem& p, const Extents& e, float* y, const float* bias) {
  for (std::int64_t f = 0; f < p.filters; ++f)
    for (std::int64_t i = 0; i < e.out; ++i) y[f * e.out + i] = y[f * e.out + i] + bias[f];
}

void one_group(const ConvolutionProblem& p, const Extents& e, const float* x, const float* w,
               float* y) {
  const Plain plain = plain_of(p);
  OrtGemm g{.m = p.filters,
            .n = e.out,
            .k = e.depth,
            .a = w,
            .lda = e.depth,
            .b = x,
            .ldb = e.out,
            .c = y,
            .ldc = e.out};
  if (plain.strides && plain.pads && e.depth == p.channels) return ort_gemm(g);
  if (plain.strides && plain.pads && plain.dilations && p.rank <= 2 && p.channels == 1) {
    g.ldb = p.in[2];
    if (p.kernel[2] == p.in[2]) {
      g.b_transposed = true;
      return ort_gemm(g);
    }
    if (p.kernel[1] == p.in[1] && p.kernel[2] == 1) return ort_gemm(g);
    g.ldb = e.out;
  }
  if (p.filters <= e.out) return segmented(p, e, x, g);
  std::vector<float> columns;
  unfold(p, e, {}, x, 0, e.out, columns);
  g.b = columns.data();
  ort_gemm(g);
}

// N36: channels in blocks of 16 (128 for 1x1, one for a network input of few channels); within a
// block fused over window and channel, blocks added in order, then the bias.
void blocked(const ConvolutionProblem& p, const Extents& e, const float* x, const float* w,
             float* y) {
  const bool first_layer = p.groups == 1 && p.channels < 16;
  const bool pointwise = e.window == 1 && plain_of(p).pads;
  const DepthOrder order{first_layer ? 1 : pointwise ? 128 : 16};
  std::vector<float> weights(static_cast<std::size_t>(p.filters * e.depth)), columns;
  for_each_depth(p, order,
                 [&](std::int64_t row, std::int64_t c, std::int64_t t_index, const auto&) {
                   for (std::int64_t f = 0; f < p.filters; ++f)
                     weights[static_cast<std::size_t>(f * e.depth + row)] =
                         w[f * e.depth + c * e.window + t_index];
                 });
  constexpr std::int64_t at_once = 1024;
  for (std::int64_t n = 0; n < e.out; n += at_once) {
    const std::int64_t wide = std::min(at_once, e.out - n);
    unfold(p, e, order, x, n, wide, columns);
    ort_blocked_product({.m = p.filters,
                         .n = wide,
                         .k = e.depth,
                         .a = weights.data(),
                         .lda = e.depth,
                         .b = columns.data(),
                         .ldb = wide,
                         .c = y + n,
                         .ldc = e.out},
                        order.step * e.window);
  }
}

}  // namespace

void ort_convolution(const ConvolutionProblem& p) {
  const Extents e = extents_of(p);
  for (std::int64_t b = 0; b < p.batch; ++b)
    for (std::int64_t g = 0; g < p.groups; ++g) {
      const float* x = p.x + (b * p.groups + g) * p.channels * e.in;
      const float* w = p.w + g * p.filters * e.depth;
      float* y = p.y + (b * p.groups + g) * p.filters * e.out;
      if (p.blocked) {
        blocked(p, e, x, w, y);
      } else if (is_paired_depthwise(p)) {
        float* at = y;
        for (std::int64_t f = 0; f < p.filters; ++f)
          for_each(p.out,
                   [&](const auto& o) { *at++ = paired_depthwise_at(p, x, w + f * e.depth, o); });
      } else {
        one_group(p, e, x, w, y);
      }
      if (p.bias) add_bias(p, e, y, p.bias + g * p.filters);
    }
}

}  // namespace lockstep
