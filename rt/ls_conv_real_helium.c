/*
 * Convolution of float32 with Helium: output positions of a row side by side, the steps of each as
 * in portable C.
 *
 * Vectors take subnormal numbers for zero. Where every operand is zero or at least 2^-40 from it,
 * products and their sums are multiples of 2^-126, the least normal number, and nothing is lost:
 * weights are looked at when the network is generated, inputs before each run. A tap outside the
 * input adds a zero in portable C, which changes no sum: none is -0.
 */
#include "ls_rt.h"

#if LS_HELIUM_FLOAT
#include <arm_mve.h>

#define INLINE static inline __attribute__((always_inline))

int ls_conv_real_vectors(const ls_conv_real* p, const float* x, float* y);

/* Every x is zero, or finite and at least 2^-40 from it. */
static int large_enough(const float* x, int32_t count) {
  for (; count > 0; count -= 4, x += 4) {
    const uint32_t least = 0x2b800000u, room = 0x7f800000u - least;
    const uint32x4_t words = vreinterpretq_u32_f32(vldrwq_z_f32(x, vctp32q((uint32_t)count)));
    const uint32x4_t bits = vbicq_u32(words, vdupq_n_u32(0x80000000u));
    const mve_pred16_t beyond =
        vcmpcsq_m_n_u32(vsubq_n_u32(bits, least), room, vcmpneq_n_u32(bits, 0));
    if (beyond != 0) return 0;
  }
  return 1;
}

/* Four sums a vector. */
typedef struct {
  float32x4_t a, b, c, d;
} sums;

INLINE sums nothing(void) {
  const float32x4_t zero = vdupq_n_f32(0.0f);
  const sums s = {zero, zero, zero, zero};
  return s;
}
INLINE sums plus(sums s, sums t, int vectors) {
  s.a = vaddq_f32(s.a, t.a);
  if (vectors > 1) s.b = vaddq_f32(s.b, t.b), s.c = vaddq_f32(s.c, t.c), s.d = vaddq_f32(s.d, t.d);
  return s;
}

/* Where a run of steps reads: neighbours from `at` on, or (no vectors) the columns of a row that
 * lie inside it. */
typedef struct {
  const float* at;
  uint32x4_t column;
  uint32_t width;
} place;

INLINE float32x4_t step(float32x4_t sum, float32x4_t x, float w, int fused) {
  return fused ? vfmaq_n_f32(sum, x, w) : vaddq_f32(sum, vmulq_n_f32(x, w));
}

/* `count` steps onto s; from one to the next inputs are `x_step`, and columns `column_step`, apart.
 */
INLINE sums steps(sums s, int vectors, int fused, place x, int32_t x_step, uint32_t column_step,
                  const float* w, int32_t w_step, int32_t count) {
  for (; count > 0; --count, w += w_step) {
    if (vectors == 0) {
      const mve_pred16_t inside = vcmphiq_u32(vdupq_n_u32(x.width), x.column);
      s.a = step(s.a, vldrwq_gather_shifted_offset_z_f32(x.at, x.column, inside), *w, fused);
      x.column = vaddq_n_u32(x.column, column_step);
    } else {
      s.a = step(s.a, vldrwq_f32(x.at), *w, fused);
      if (vectors > 1) {
        s.b = step(s.b, vldrwq_f32(x.at + 4), *w, fused);
        s.c = step(s.c, vldrwq_f32(x.at + 8), *w, fused);
        s.d = step(s.d, vldrwq_f32(x.at + 12), *w, fused);
      }
    }
    x.at += x_step;
  }
  return s;
}

/* Tap (h, v) of channel 0 of a group, h inside the input. */
INLINE place place_of(const ls_window* g, const float* x, int32_t h, int32_t v, int vectors) {
  place at;
  at.at = x + h * g->in_w + (vectors == 0 ? 0 : v);
  at.width = (uint32_t)g->in_w;
  at.column = vaddq_n_u32(vmulq_n_u32(vidupq_n_u32(0, 1), (uint32_t)g->stride_w), (uint32_t)v);
  return at;
}

/* Channels in blocks, fused over window and channel within one; blocks added in order. */
INLINE sums by_blocks(const ls_conv_real* p, const float* x, const float* w, int32_t oh, int32_t v,
                      int vectors) {
  const ls_window* g = &p->window;
  const int32_t channels = g->in_c / p->group, taps = g->kernel_h * g->kernel_w,
                plane = g->in_h * g->in_w;
  sums all = nothing();
  int32_t first, i, j;
  for (first = 0; first < channels; first += p->block) {
    const int32_t count = channels - first < p->block ? channels - first : p->block;
    const float* weights = w + first * taps;
    sums s = nothing();
    for (i = 0; i < g->kernel_h; ++i) {
      const int32_t h = oh * g->stride_h - g->top + i * g->dilation_h;
      if (h < 0 || h >= g->in_h) {
        weights += g->kernel_w;
        continue;
      }
      for (j = 0; j < g->kernel_w; ++j, ++weights)
        s = steps(s, vectors, 1, place_of(g, x + first * plane, h, v + j * g->dilation_w, vectors),
                  plane, 0, weights, taps, count);
    }
    all = first == 0 ? s : plus(s, all, vectors);
  }
  return all;
}

/* How many steps from `left` to the end of all make the next piece. */
INLINE int32_t piece_of(const ls_conv_real* p, int32_t left, int fused) {
  return fused ? p->block : left >= 4 ? 4 : left >= 2 ? 2 : 1;
}

/* Along channel, then window, in pieces that each start from zero: fused ones of `block`, or
   rounded products by fours, then two, then one. */
INLINE sums by_pieces(const ls_conv_real* p, const float* x, const float* w, int32_t oh, int32_t v,
                      int vectors, int fused) {
  const ls_window* g = &p->window;
  const int32_t channels = g->in_c / p->group, plane = g->in_h * g->in_w, across = g->dilation_w;
  sums all = nothing(), s = all;
  int32_t c, i, j, n, rest = channels * g->kernel_h * g->kernel_w, left = piece_of(p, rest, fused);
  for (c = 0; c < channels; ++c, x += plane)
    for (i = 0; i < g->kernel_h; ++i) {
      const int32_t h = oh * g->stride_h - g->top + i * g->dilation_h;
      for (j = 0; j < g->kernel_w; j += n, w += n, left -= n, rest -= n) {
        if (left == 0) {
          all = plus(s, all, vectors);
          s = nothing(), left = piece_of(p, rest, fused);
        }
        n = g->kernel_w - j < left ? g->kernel_w - j : left;
        if (h >= 0 && h < g->in_h)
          s = steps(s, vectors, fused, place_of(g, x, h, v + j * across, vectors),
                    vectors == 0 ? 0 : across, (uint32_t)across, w, 1, n);
      }
    }
  return plus(s, all, vectors);
}

/* Positions of one row from ow on: sixteen, four, or (no vectors) up to four of any kind. */
INLINE void finish(const ls_conv_real* p, sums s, const float* bias, int32_t ow, int vectors,
                   float* y) {
  if (bias != NULL) {
    const float32x4_t term = vdupq_n_f32(*bias);
    const sums all = {term, term, term, term};
    s = plus(s, all, vectors);
  }
  y += ow;
  if (vectors == 0) vstrwq_p_f32(y, s.a, vctp32q((uint32_t)(p->window.out_w - ow)));
  if (vectors > 0) vstrwq_f32(y, s.a);
  if (vectors > 1) vstrwq_f32(y + 4, s.b), vstrwq_f32(y + 8, s.c), vstrwq_f32(y + 12, s.d);
}

/* What the positions of one row share. Each order and number of vectors is a function of its own:
 * registers are few. */
typedef struct {
  const ls_conv_real* p;
  const float *x, *w, *bias;
  int32_t oh;
  float* y;
} row;
typedef void (*positions)(const row* r, int32_t ow);
#define POSITIONS(NAME, SUMS)                                                      \
  static __attribute__((noinline)) void NAME##_sixteen(const row* r, int32_t ow) { \
    SUMS(4);                                                                       \
  }                                                                                \
  static __attribute__((noinline)) void NAME##_four(const row* r, int32_t ow) {    \
    SUMS(1);                                                                       \
  }                                                                                \
  static __attribute__((noinline)) void NAME##_any(const row* r, int32_t ow) {     \
    SUMS(0);                                                                       \
  }                                                                                \
  static const positions NAME[3] = {NAME##_any, NAME##_four, NAME##_sixteen};
#define FIRST_COLUMN (ow * r->p->window.stride_w - r->p->window.left)
#define BLOCKS(V) \
  finish(r->p, by_blocks(r->p, r->x, r->w, r->oh, FIRST_COLUMN, V), r->bias, ow, V, r->y)
#define PIECES(V) \
  finish(r->p, by_pieces(r->p, r->x, r->w, r->oh, FIRST_COLUMN, V, 1), r->bias, ow, V, r->y)
#define FOURS(V) \
  finish(r->p, by_pieces(r->p, r->x, r->w, r->oh, FIRST_COLUMN, V, 0), r->bias, ow, V, r->y)
POSITIONS(blocks, BLOCKS)
POSITIONS(pieces, PIECES)
POSITIONS(fours, FOURS)

/* Whether the windows of `count` positions from ow on lie inside their rows, neighbours in the
 * input too. */
static int inside(const ls_window* g, int32_t ow, int32_t count) {
  const int32_t v = ow - g->left;
  return g->stride_w == 1 && ow >= 0 && ow + count <= g->out_w && v >= 0 &&
         v + count + (g->kernel_w - 1) * g->dilation_w <= g->in_w;
}

static void row_of(const row* r, const positions* of) {
  const ls_window* g = &r->p->window;
  int32_t ow = 0;
  while (ow < g->out_w) {
    if (inside(g, ow, 16)) {
      of[2](r, ow);
      ow += 16;
      continue;
    }
    if (g->out_w - ow < 4 && inside(g, g->out_w - 4, 4)) ow = g->out_w - 4; /* some once more */
    of[inside(g, ow, 4) ? 1 : 0](r, ow);
    ow += 4;
  }
}

int ls_conv_real_vectors(const ls_conv_real* p, const float* x, float* y) {
  ls_conv_real folded = *p;
  ls_window* g = &folded.window;
  const int32_t channels = g->in_c / p->group, filters = g->out_c / p->group,
                plane = g->in_h * g->in_w;
  const int32_t taps = g->kernel_h * g->kernel_w;
  /* Pieces of one tap are blocks of channels. */
  const positions* of = p->order == LS_FOURS                ? fours
                        : p->order == LS_PIECES && taps > 1 ? pieces
                                                            : blocks;
  int32_t n, o;
  row r;
  if (!p->vectors || p->depth.kernel > 0 ||
      (p->order != LS_CHANNEL_BLOCKS && p->order != LS_PIECES && p->order != LS_FOURS))
    return 0;
  if (!large_enough(x, g->batch * g->in_c * plane)) return 0;
  if (taps == 1 && g->stride_h == 1 && g->stride_w == 1 && g->out_h == g->in_h &&
      g->out_w == g->in_w)
    g->in_w = g->out_w = plane, g->in_h = g->out_h = 1; /* the plane as one row */
  r.p = &folded, r.y = y;
  for (n = 0; n < g->batch; ++n, x += g->in_c * plane)
    for (o = 0; o < g->out_c; ++o) {
      r.x = x + o / filters * channels * plane, r.w = p->weights + o * channels * taps;
      r.bias = p->bias == NULL ? NULL : p->bias + o;
      for (r.oh = 0; r.oh < g->out_h; ++r.oh, r.y += g->out_w) row_of(&r, of);
    }
  return 1;
}
#endif

typedef int ls_conv_real_helium_is_not_empty;
