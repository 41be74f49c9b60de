/* Operators on float32, each step rounded as the reference does it. */
#include <math.h>

#include "ls_fixed.h"
#include "ls_number.h"

typedef float (*combine)(float a, float b);

static float sum_of(float a, float b) { return a + b; }
static float difference_of(float a, float b) { return a - b; }
static float product_of(float a, float b) { return a * b; }
static float quotient_of(float a, float b) { return a / b; }
static float squared(float a, float b) {
  const float d = a - b;
  return d * d;
}
static float leaky(float x, float slope) { return x >= 0.0f ? x : x * slope; }

static void spread(const ls_binary_real *p, const float *a, const float *b, float *y, combine f) {
  const ls_spread *s = &p->spread;
  int32_t i, j, k, l;
  for (i = 0; i < s->extent[0]; ++i)
    for (j = 0; j < s->extent[1]; ++j)
      for (k = 0; k < s->extent[2]; ++k) {
        const float *ra = a + i * s->a_stride[0] + j * s->a_stride[1] + k * s->a_stride[2];
        const float *rb = b + i * s->b_stride[0] + j * s->b_stride[1] + k * s->b_stride[2];
        for (l = 0; l < s->extent[3]; ++l)
          *y++ = ls_clamp_real(f(ra[l * s->a_stride[3]], rb[l * s->b_stride[3]]), p->low, p->high);
      }
}
void ls_add_f32(const ls_binary_real *p, const float *a, const float *b, float *y) { spread(p, a, b, y, sum_of); }
void ls_sub_f32(const ls_binary_real *p, const float *a, const float *b, float *y) { spread(p, a, b, y, difference_of); }
void ls_mul_f32(const ls_binary_real *p, const float *a, const float *b, float *y) { spread(p, a, b, y, product_of); }
void ls_div_f32(const ls_binary_real *p, const float *a, const float *b, float *y) { spread(p, a, b, y, quotient_of); }
void ls_prelu_f32(const ls_binary_real *p, const float *a, const float *b, float *y) { spread(p, a, b, y, leaky); }

void ls_squared_difference_f32(const ls_binary_real *p, const float *a, const float *b, float *y) {
  spread(p, a, b, y, squared);
}

void ls_neg_f32(const float *x, float *y, size_t count) {
  size_t i;
  for (i = 0; i < count; ++i) y[i] = -x[i];
}
void ls_relu_f32(const float *x, float *y, size_t count) {
  size_t i;
  for (i = 0; i < count; ++i) y[i] = x[i] < 0.0f ? 0.0f : x[i];
}

void ls_affine_f32(const float *factor, const float *term, int32_t outer, int32_t channels, int32_t inner, const float *x,
                   float *y) {
  int32_t o, c, i;
  for (o = 0; o < outer; ++o)
    for (c = 0; c < channels; ++c)
      for (i = 0; i < inner; ++i) {
        const float scaled = *x++ * factor[c];
        *y++ = scaled + term[c];
      }
}

static float horner(float x, const float *c, int32_t count) {
  float p = c[0];
  int32_t i;
  for (i = 1; i < count; ++i) p = fmaf(p, x, c[i]);
  return p;
}

/* An odd polynomial over an even one, of x between -18 and 18. */
float ls_rational_sigmoid(float x) {
  static const float odd[] = {4.37031012579801e-11f, 1.15627324459942e-07f, 6.08574864600143e-05f,
                              8.51377133304701e-03f, 2.48287947061529e-01f};
  static const float even[] = {6.10247389755681e-13f, 5.76102136993427e-09f, 6.29106785017040e-06f,
                               1.70198817374094e-03f, 1.16817656904453e-01f, 9.93151921023180e-01f};
  const float v = ls_clamp_real(x, -18.0f, 18.0f), square = v * v;
  const float top = v * horner(square, odd, 5);
  const float quotient = top / horner(square, even, 6);
  const float y = quotient + 0.5f;
  return y < 0.0f ? 0.0f : y;
}
float ls_rational_tanh(float x) {
  static const float odd[] = {-2.76076847742355e-16f, 2.00018790482477e-13f, -8.60467152213735e-11f,
                              5.12229709037114e-08f, 1.48572235717979e-05f, 6.37261928875436e-04f, 4.89352455891786e-03f};
  static const float even[] = {1.19825839466702e-06f, 1.18534705686654e-04f, 2.26843463243900e-03f, 4.89352518554385e-03f};
  const float v = ls_clamp_real(x, -9.0f, 9.0f), square = v * v;
  const float top = v * horner(square, odd, 7);
  return top / horner(square, even, 4);
}
void ls_sigmoid_f32(const float *x, float *y, size_t count) {
  size_t i;
  for (i = 0; i < count; ++i) y[i] = ls_rational_sigmoid(x[i]);
}
void ls_tanh_f32(const float *x, float *y, size_t count) {
  size_t i;
  for (i = 0; i < count; ++i) y[i] = ls_rational_tanh(x[i]);
}

/* 2^m exp(r), r = x - m ln 2 in two fused steps, a polynomial of degree six. */
static float exp_of(float x) {
  static const float poly[] = {0x1.694000p-10f, 0x1.125edcp-7f, 0x1.555b5ap-5f, 0x1.555450p-3f, 0x1.fffff6p-2f, 1.0f, 1.0f};
  const float magic = 12582912.0f; /* adding and subtracting it rounds to an integer */
  const float v = x < -103.9720840454f ? -103.9720840454f : x;
  const float shifted = fmaf(v, 1.44269504088896341f, magic);
  const float m = shifted - magic;
  const float r = fmaf(m, -1.42860677e-6f, fmaf(m, -6.93145752e-1f, v));
  return ldexpf(horner(r, poly, 7), (int)ls_clamp_real(m, -400.0f, 400.0f));
}

void ls_exp_f32(const float *x, float *y, size_t count) {
  size_t i;
  for (i = 0; i < count; ++i) y[i] = exp_of(x[i]);
}

static float greatest_of(const float *x, int32_t count, int32_t step) {
  float best = x[0];
  int32_t i;
  for (i = 1; i < count; ++i)
    if (x[i * step] > best) best = x[i * step];
  return best;
}

/* The sum of exp(x - best) in 16 lanes; the exponentials go to y, where there is one. */
static float exponentials(const float *x, float best, float *y, int32_t count, int32_t step) {
  float lane[16] = {0}, half[8];
  int32_t i, l;
  for (i = 0; i < count; ++i) {
    const float e = exp_of(x[i * step] + -best);
    if (y != NULL) y[i * step] = e;
    lane[i % 16] = lane[i % 16] + e;
  }
  for (l = 0; l < 8; ++l) half[l] = lane[l + 8] + lane[l];
  return ((half[0] + half[1]) + (half[2] + half[3])) + ((half[4] + half[5]) + (half[6] + half[7]));
}

void ls_softmax_rows_f32(const float *x, float *y, int32_t outer, int32_t count, int32_t inner) {
  int32_t row, i;
  for (row = 0; row < outer * inner; ++row) {
    const int32_t first = row / inner * inner * count + row % inner;
    const float factor = 1.0f / exponentials(x + first, greatest_of(x + first, count, inner), y + first, count, inner);
    for (i = 0; i < count; ++i) y[first + i * inner] = y[first + i * inner] * factor;
  }
}

void ls_log_softmax_rows_f32(const float *x, float *y, int32_t outer, int32_t count, int32_t inner) {
  int32_t row, i;
  for (row = 0; row < outer * inner; ++row) {
    const int32_t first = row / inner * inner * count + row % inner;
    const float best = greatest_of(x + first, count, inner);
    const float logarithm = logf(exponentials(x + first, best, NULL, count, inner));
    for (i = 0; i < count; ++i) y[first + i * inner] = (x[first + i * inner] - best) - logarithm;
  }
}

/* One output element: channels in blocks, fused over window and channel within one; blocks added in order. */
static float convolved(const ls_conv_real *p, const float *x, const float *w, int32_t oh, int32_t ow) {
  const ls_window *g = &p->window;
  const int32_t channels = g->in_c / p->group, window = g->kernel_h * g->kernel_w;
  float y = 0.0f;
  int32_t first, i, j, c;
  for (first = 0; first < channels; first += p->block) {
    const int32_t end = first + p->block < channels ? first + p->block : channels;
    float sum = 0.0f;
    for (i = 0; i < g->kernel_h; ++i)
      for (j = 0; j < g->kernel_w; ++j) {
        const int32_t h = oh * g->stride_h - g->top + i * g->dilation_h, v = ow * g->stride_w - g->left + j * g->dilation_w;
        const int32_t inside = h >= 0 && h < g->in_h && v >= 0 && v < g->in_w;
        for (c = first; c < end; ++c)
          sum = fmaf(w[c * window + i * g->kernel_w + j], inside ? x[(c * g->in_h + h) * g->in_w + v] : 0.0f, sum);
      }
    y = first == 0 ? sum : sum + y;
  }
  return y;
}

static float input_at(const ls_window *g, const float *x, int32_t k, int32_t oh, int32_t ow) {
  const int32_t window = g->kernel_h * g->kernel_w, t = k % window;
  const int32_t h = oh * g->stride_h - g->top + t / g->kernel_w * g->dilation_h;
  const int32_t v = ow * g->stride_w - g->left + t % g->kernel_w * g->dilation_w;
  const int32_t inside = h >= 0 && h < g->in_h && v >= 0 && v < g->in_w;
  return inside ? x[(k / window * g->in_h + h) * g->in_w + v] : 0.0f;
}

/* Fused along channel, then window, in pieces of `block` that each start from zero. */
static float in_pieces(const ls_conv_real *p, const float *x, const float *w, int32_t oh, int32_t ow) {
  const ls_window *g = &p->window;
  const int32_t depth = g->in_c / p->group * g->kernel_h * g->kernel_w;
  float y = 0.0f;
  int32_t start, k;
  for (start = 0; start < depth; start += p->block) {
    const int32_t end = start + p->block < depth ? start + p->block : depth;
    float sum = 0.0f;
    for (k = start; k < end; ++k) sum = fmaf(w[k], input_at(g, x, k, oh, ow), sum);
    y = start == 0 ? sum : sum + y;
  }
  return y;
}

/* One filter of a group: products rounded, four at a time before they meet the sum, then two, then one; the depth
   (channel, then window) is cut into pieces of `block`. */
static float in_fours(const ls_conv_real *p, const float *x, const float *w, int32_t oh, int32_t ow) {
  const ls_window *g = &p->window;
  const int32_t depth = g->in_c / p->group * g->kernel_h * g->kernel_w;
  float y = 0.0f;
  int32_t start, k;
  for (start = 0; start < depth; start += p->block) {
    const int32_t end = start + p->block < depth ? start + p->block : depth;
    for (k = start; k < end;) {
      const int32_t step = end - k >= 4 ? 4 : end - k >= 2 ? 2 : 1;
      float t = w[k] * input_at(g, x, k, oh, ow);
      int32_t i;
      for (i = 1; i < step; ++i) {
        const float next = w[k + i] * input_at(g, x, k + i, oh, ow);
        t = t + next;
      }
      y = t + y;
      k += step;
    }
  }
  return y;
}

/* Eight interleaved sums of rounded products, joined as the one of `count` results that is number `n`. */
static float in_eights(const ls_conv_real *p, const float *x, const float *w, int32_t oh, int32_t ow, int32_t n, int32_t count) {
  const ls_window *g = &p->window;
  const int32_t depth = g->in_c / p->group * g->kernel_h * g->kernel_w, fours = count / 4 * 4;
  float s[8] = {0.0f};
  int32_t k;
  for (k = 0; k < depth; ++k) {
    const float product = w[k] * input_at(g, x, k, oh, ow);
    s[k % 8] = s[k % 8] + product;
  }
  if (n < fours) return (((s[0] + s[1]) + s[2]) + s[3]) + (((s[4] + s[5]) + s[6]) + s[7]);
  if (count - fours >= 2 && n < fours + 2) return ((s[2] + s[0]) + (s[6] + s[4])) + ((s[3] + s[1]) + (s[7] + s[5]));
  return ((s[0] + s[1]) + (s[2] + s[3])) + ((s[4] + s[5]) + (s[6] + s[7]));
}

/* Four positions of a row whose every tap lies inside along it, `x` at the first one's column 0: as in_pieces. */
static void four_in_pieces(const ls_conv_real *p, const float *x, const float *w, int32_t oh, float *y) {
  const ls_window *g = &p->window;
  const int32_t channels = g->in_c / p->group, step = g->stride_w;
  float a = 0.0f, b = 0.0f, d = 0.0f, e = 0.0f;
  int32_t c, i, j, left = p->block, first = 1;
  for (c = 0; c < channels; ++c, x += g->in_h * g->in_w)
    for (i = 0; i < g->kernel_h; ++i) {
      const int32_t h = oh * g->stride_h - g->top + i * g->dilation_h, inside = h >= 0 && h < g->in_h;
      const float *at = x + (inside ? h * g->in_w : 0);
      for (j = 0; j < g->kernel_w; ++j, ++w, at += g->dilation_w) {
        if (left-- == 0) { /* the next piece */
          y[0] = first ? a : a + y[0], y[1] = first ? b : b + y[1], y[2] = first ? d : d + y[2], y[3] = first ? e : e + y[3];
          a = b = d = e = 0.0f;
          left = p->block - 1, first = 0;
        }
        a = fmaf(*w, inside ? at[0] : 0.0f, a);
        b = fmaf(*w, inside ? at[step] : 0.0f, b);
        d = fmaf(*w, inside ? at[2 * step] : 0.0f, d);
        e = fmaf(*w, inside ? at[3 * step] : 0.0f, e);
      }
    }
  y[0] = first ? a : a + y[0], y[1] = first ? b : b + y[1], y[2] = first ? d : d + y[2], y[3] = first ? e : e + y[3];
}

/* One row of outputs in pieces: four at a time where no window leaves the row. */
static void row_in_pieces(const ls_conv_real *p, const float *x, const float *w, int32_t oh, float *y) {
  const ls_window *g = &p->window;
  const int32_t span = (g->kernel_w - 1) * g->dilation_w + 1;
  int32_t ow = 0;
  while (ow < g->out_w) {
    const int32_t v = ow * g->stride_w - g->left;
    if (ow + 4 <= g->out_w && v >= 0 && v + 3 * g->stride_w + span <= g->in_w) {
      four_in_pieces(p, x + v, w, oh, y + ow);
      ow += 4;
    } else {
      y[ow] = in_pieces(p, x, w, oh, ow);
      ++ow;
    }
  }
}

void ls_conv_f32(const ls_conv_real *p, const float *x, float *y) {
  const ls_window *g = &p->window;
  const int32_t channels = g->in_c / p->group, filters = g->out_c / p->group;
  const int32_t plane = g->in_h * g->in_w, depth = channels * g->kernel_h * g->kernel_w, places = g->out_h * g->out_w;
  int32_t n, o, oh, ow;
  for (n = 0; n < g->batch; ++n, x += g->in_c * plane)
    for (o = 0; o < g->out_c; ++o)
      for (oh = 0; oh < g->out_h; ++oh, y += g->out_w) {
        const float *in = x + o / filters * channels * plane, *w = p->weights + o * depth;
        if (p->order == LS_PIECES)
          row_in_pieces(p, in, w, oh, y);
        else
          for (ow = 0; ow < g->out_w; ++ow)
            y[ow] = p->order == LS_CHANNEL_BLOCKS ? convolved(p, in, w, oh, ow)
                    : p->order == LS_FOURS        ? in_fours(p, in, w, oh, ow)
                    : p->order == LS_EIGHTS       ? in_eights(p, in, w, oh, ow, oh * g->out_w + ow, places)
                                                  : in_eights(p, in, w, oh, ow, o % filters, filters);
        for (ow = 0; p->bias != NULL && ow < g->out_w; ++ow) y[ow] = y[ow] + p->bias[o];
      }
}
