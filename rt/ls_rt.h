/*
 * Kernels of generated networks: C99, freestanding but for string.h and math.h.
 *
 * Every kernel is exact: it computes the same codes on any machine, with and without Helium.
 * Activations are 8-bit codes; where a tensor is uint8, `flip` is 0x80 and a code enters as
 * (int8_t)(code ^ flip), that is, less 128. Compile with -ffp-contract=off.
 */
#ifndef LS_RT_H
#define LS_RT_H

#include <stddef.h>
#include <stdint.h>

#if defined(__ARM_FEATURE_MVE) && (__ARM_FEATURE_MVE & 1) && !defined(LS_NO_HELIUM)
#define LS_HELIUM 1
#else
#define LS_HELIUM 0
#endif
#if LS_HELIUM && (__ARM_FEATURE_MVE & 2)
#define LS_HELIUM_FLOAT 1
#else
#define LS_HELIUM_FLOAT 0
#endif

/* Accumulators are finished in runs of at most so many channels. */
#define LS_RUN 64

/*
 * How accumulators become codes. A finish function turns `rows` rows of `count` accumulators,
 * LS_RUN apart, the first of each of output channel `channel`, into as many elements at y, rows
 * `step` bytes apart: codes, or floats (ls_finish_real).
 */
typedef struct ls_requant {
  const int32_t* multiplier; /* Q0.31 */
  const int32_t* shift;      /* left where positive */
  const float* factor;
  const double* real;
  int32_t zero; /* of y */
  int32_t low;  /* clamp of y's codes */
  int32_t high;
  float offset; /* of ls_finish_offset */
} ls_requant;
typedef void (*ls_finish)(const ls_requant* q, const int32_t* acc, int32_t count, int32_t channel,
                          int32_t rows, void* y, int32_t step);

/* Fixed point rounded twice: floor(a m / 2^31 + 1/2), then / 2^-shift, ties away from zero. The
   plain names have one multiplier a channel, those with _one a single one; the fixed ones without
   _left need every shift <= 0. */
void ls_finish_fixed(const ls_requant* q, const int32_t* acc, int32_t count, int32_t channel,
                     int32_t rows, void* y, int32_t step);
void ls_finish_fixed_left(const ls_requant* q, const int32_t* acc, int32_t count, int32_t channel,
                          int32_t rows, void* y, int32_t step);
void ls_finish_fixed_one(const ls_requant* q, const int32_t* acc, int32_t count, int32_t channel,
                         int32_t rows, void* y, int32_t step);
/* Fixed point rounded once, ties up: floor(a m 2^shift / 2^31 + 1/2). */
void ls_finish_fixed_once(const ls_requant* q, const int32_t* acc, int32_t count, int32_t channel,
                          int32_t rows, void* y, int32_t step);
/* float32 factor, ties to even. */
void ls_finish_float(const ls_requant* q, const int32_t* acc, int32_t count, int32_t channel,
                     int32_t rows, void* y, int32_t step);
void ls_finish_float_one(const ls_requant* q, const int32_t* acc, int32_t count, int32_t channel,
                         int32_t rows, void* y, int32_t step);
/* double multiplier, ties away from zero. */
void ls_finish_double(const ls_requant* q, const int32_t* acc, int32_t count, int32_t channel,
                      int32_t rows, void* y, int32_t step);
void ls_finish_double_one(const ls_requant* q, const int32_t* acc, int32_t count, int32_t channel,
                          int32_t rows, void* y, int32_t step);
/* y is float: acc * factor. */
void ls_finish_real(const ls_requant* q, const int32_t* acc, int32_t count, int32_t channel,
                    int32_t rows, void* y, int32_t step);

/* A two-dimensional window. Tap (i, j) of output (h, w) reads input (h stride_h - top + i
 * dilation_h, ...). */
typedef struct ls_window {
  int32_t batch;
  int32_t in_h, in_w, in_c;
  int32_t out_h, out_w, out_c;
  int32_t kernel_h, kernel_w;
  int32_t stride_h, stride_w;
  int32_t dilation_h, dilation_w;
  int32_t top, left;
  int32_t channels_last; /* 1: [n][h][w][c]; 0: [n][c][h][w] */
} ls_window;
/* A third axis before these two, of convolutions and poolings that take one; kernel 0: none. */
typedef struct ls_depth {
  int32_t in, out, kernel, stride, dilation, front;
} ls_depth;

/*
 * Convolution. Weights are packed two output channels at a time, 16 codes of depth (window row,
 * window column, channel) in turn: [group][channel / 2][depth / 16][2][16], the rest filled with
 * zeros. bias[o] already holds -x_zero * sum(w - w_zero); it is padded to whole pairs. Padding
 * reads `pad`, x's zero point after the flip. scratch: 3 rows of depth bytes rounded up to 16, and
 * 16 bytes.
 */
typedef struct ls_conv {
  ls_window window;
  int32_t group;
  int32_t depth;  /* kernel_h * kernel_w * in_c / group */
  int32_t w_zero; /* after the flip of the weights */
  uint8_t flip;
  int8_t pad;
  uint8_t y_bytes; /* of one element of y */
  const int8_t* weights;
  const int32_t* bias;
  const int32_t* w_zeros; /* one of each output channel, beside w_zero 0; NULL: w_zero of all */
  ls_finish finish;
  ls_requant q;
} ls_conv;
void ls_conv_8(const ls_conv* p, const void* x, void* y, int8_t* scratch);

/*
 * Depthwise convolution: output channel o reads input channel o / (out_c / in_c). Weights are
 * [out_c / 16][tap][16], zeros behind. scratch: in_c + 16 bytes. `pairs`: 1 when two products of
 * neighbouring taps always fit in 16 bits. The bias is padded to a multiple of 16.
 */
typedef struct ls_depthwise {
  ls_window window;
  int32_t w_zero;
  uint8_t flip;
  int8_t pad;
  uint8_t pairs;
  const int8_t* weights;
  const int32_t* bias;
  const int32_t* w_zeros; /* as of a convolution */
  ls_finish finish;
  ls_requant q;
} ls_depthwise;
void ls_depthwise_8(const ls_depthwise* p, const void* x, void* y, int8_t* scratch);

/* y[r][o] = finish(bias[o] + sum x[r][k] w[o][k]); weights packed as of a convolution. */
typedef struct ls_dense {
  int32_t rows, depth, out;
  int32_t w_zero;
  uint8_t flip;
  uint8_t y_bytes;
  const int8_t* weights;
  const int32_t* bias;
  const int32_t* w_zeros; /* as of a convolution */
  ls_finish finish;
  ls_requant q;
} ls_dense;
void ls_dense_8(const ls_dense* p, const void* x, void* y);

/* Products of stacked matrices, both operands computed: y[i][j] = finish(sum (a - a_zero)(b -
 * b_zero)). */
typedef struct ls_matmul {
  int32_t count, m, n, k;
  int32_t a_step, b_step; /* elements from one matrix to the next; 0: always the same one */
  int32_t a_row, a_col, b_row, b_col; /* strides of [m][k] and [k][n] */
  int32_t a_zero, b_zero;             /* after the flip */
  uint8_t a_flip, b_flip;
  uint8_t y_bytes;
  ls_finish finish;
  ls_requant q;
} ls_matmul;
void ls_matmul_8(const ls_matmul* p, const void* a, const void* b, void* y);

/*
 * Two operands spread to one shape of up to four axes. `a_stride`, `b_stride`: elements from one
 * index to the next, 0 where an operand is spread.
 */
typedef struct ls_spread {
  int32_t extent[4];
  int32_t a_stride[4];
  int32_t b_stride[4];
} ls_spread;

/* Fixed point: each operand less its zero point, times 2^left, times its multiplier; combined;
 * times y's. */
typedef struct ls_binary_fixed {
  ls_spread spread;
  int32_t a_zero, b_zero; /* after the flip */
  int32_t left;
  int32_t a_multiplier, a_shift;
  int32_t b_multiplier, b_shift;
  int32_t y_multiplier, y_shift;
  int32_t y_zero, low, high;
  uint8_t a_flip, b_flip;
} ls_binary_fixed;
void ls_add_fixed_8(const ls_binary_fixed* p, const void* a, const void* b, void* y);
void ls_sub_fixed_8(const ls_binary_fixed* p, const void* a, const void* b, void* y);
void ls_mul_fixed_8(const ls_binary_fixed* p, const void* a, const void* b, void* y);
void ls_squared_difference_fixed_8(const ls_binary_fixed* p, const void* a, const void* b, void* y);

/* float32: fused (add), or each step rounded (mul). Codes enter plus `offset`, the result leaves
 * less it. */
typedef struct ls_binary_float {
  ls_spread spread;
  int32_t a_zero, b_zero;
  int32_t a_offset, b_offset, y_offset;
  float a_factor, b_factor, constant;
  int32_t low, high;
  uint8_t a_flip, b_flip; /* 0x80: the operand is uint8 */
  uint8_t a_first;        /* add: the step of a is the inner one */
} ls_binary_float;
void ls_add_float_8(const ls_binary_float* p, const void* a, const void* b, void* y);
void ls_mul_float_8(const ls_binary_float* p, const void* a, const void* b, void* y);

/* Pooling. low, high are clamps of the codes as stored. */
typedef struct ls_pool {
  ls_window window;
  int32_t low, high;
  uint8_t is_unsigned;
} ls_pool;
void ls_max_pool_8(const ls_pool* p, const void* x, void* y);
typedef struct ls_pool_real {
  ls_window window;
  float low, high;
} ls_pool_real;
void ls_max_pool_f32(const ls_pool_real* p, const float* x, float* y);
void ls_average_pool_8(const ls_pool* p, const void* x, void* y); /* sum / n, ties away from zero */
/* Reals one by one in float32; the zero point is added before rounding. `include_pad` divides by
 * the window. */
typedef struct ls_average_float {
  ls_window window;
  int32_t x_zero;
  float x_scale, y_scale, y_zero;
  int32_t low, high, y_offset;
  uint8_t is_unsigned, include_pad;
} ls_average_float;
void ls_average_pool_float_8(const ls_average_float* p, const void* x, void* y);

/* x[outer][reduced][inner] -> y[outer][inner]. */
typedef struct ls_reduce {
  int32_t outer, reduced, inner;
  int32_t start; /* of each sum: -reduced * x_zero */
  uint8_t is_unsigned;
  ls_finish finish;
  ls_requant q;
} ls_reduce;
void ls_reduce_sum_8(const ls_reduce* p, const void* x, void* y);
void ls_reduce_max_8(const ls_reduce* p, const void* x, void* y);

/* y[i] = table[x[i]], x as an unsigned byte. */
void ls_table_8(const uint8_t* table, const void* x, void* y, size_t count);

/* Softmax by table: exponential[d] for a code d below the greatest, 0 where the code's share is
 * nothing. */
typedef struct ls_softmax {
  int32_t outer, count, inner;
  const int32_t* exponential; /* Q0.31 */
  const float* exponential_real;
  int32_t live; /* differences that count */
  float y_factor;
  int32_t zero, low, high;
  int32_t beyond; /* ls_softmax_float_8: the code of a share that no int32 holds */
  uint8_t is_unsigned;
  uint8_t y_bytes; /* of ls_softmax_fixed_8's y: 2 for 16-bit codes */
} ls_softmax;
void ls_softmax_fixed_8(const ls_softmax* p, const void* x, void* y);
void ls_softmax_float_8(const ls_softmax* p, const void* x, void* y);

/* float32, each step rounded; results are held between low and high. */
typedef struct ls_binary_real {
  ls_spread spread;
  float low, high;
  uint8_t vectors; /* no bounds, and no operand or result that a vector rounds otherwise */
} ls_binary_real;
void ls_add_f32(const ls_binary_real* p, const float* a, const float* b, float* y);
void ls_sub_f32(const ls_binary_real* p, const float* a, const float* b, float* y);
void ls_mul_f32(const ls_binary_real* p, const float* a, const float* b, float* y);
void ls_div_f32(const ls_binary_real* p, const float* a, const float* b, float* y);
void ls_squared_difference_f32(const ls_binary_real* p, const float* a, const float* b, float* y);
void ls_prelu_f32(const ls_binary_real* p, const float* a, const float* b,
                  float* y); /* b: slope below zero */
void ls_neg_f32(const float* x, float* y, size_t count);
void ls_relu_f32(const float* x, float* y, size_t count);
/* y = x * factor + term by channel: x[outer][channels][inner]. `vectors`: as in ls_binary_real. */
void ls_affine_f32(const float* factor, const float* term, int32_t outer, int32_t channels,
                   int32_t inner, uint8_t vectors, const float* x, float* y);
/* onnxruntime's: quotients of polynomials, exponential by polynomial, sums in 16 lanes. */
void ls_exp_f32(const float* x, float* y, size_t count);
void ls_sigmoid_f32(const float* x, float* y, size_t count);
void ls_tanh_f32(const float* x, float* y, size_t count);
/* Channels first. How sums are cut: LS_CHANNEL_BLOCKS fuses over window and channel in blocks of
   `block` channels of a group; LS_PIECES over channel, then window, in pieces of `block`; LS_FOURS
   (one filter a group) fuses nothing and takes four products at a time; LS_EIGHTS neither, in eight
   interleaved sums, joined by where the position stands among its plane's, LS_EIGHTS_ACROSS by
   where the filter stands in its group. */
enum { LS_CHANNEL_BLOCKS, LS_FOURS, LS_PIECES, LS_EIGHTS, LS_EIGHTS_ACROSS };
typedef struct ls_conv_real {
  ls_window window;
  ls_depth depth;
  int32_t group, block, order;
  uint8_t vectors;      /* weights and bias are zero or at least 2^-40 from it */
  const float* weights; /* [out_c][channel of the group][window] */
  const float* bias;    /* NULL: none */
} ls_conv_real;
void ls_conv_f32(const ls_conv_real* p, const float* x, float* y);

/* Reals to codes and back. */
void ls_quantize_even_8(const float* x, void* y, size_t count, float scale, int32_t zero,
                        int32_t low, int32_t high);
void ls_quantize_away_8(const float* x, void* y, size_t count, float scale, int32_t zero,
                        int32_t low, int32_t high);
void ls_dequantize_s8(const int8_t* x, float* y, size_t count, float scale, int32_t zero);
void ls_dequantize_u8(const uint8_t* x, float* y, size_t count, float scale, int32_t zero);

/* y in order from x[base + i0 stride0 + i1 stride1 + ...], elements of `bytes`. */
typedef struct ls_copy {
  int32_t bytes;
  int32_t base;
  int32_t extent[6];
  int32_t stride[6];
} ls_copy;
void ls_copy_strided(const ls_copy* p, const void* x, void* y);
/* y = runs of `bytes` bytes from x + from[i] * bytes; -1: filled from `fill` (one element of `size`
 * bytes). */
void ls_copy_runs(const int32_t* from, int32_t count, int32_t bytes, const void* x,
                  const void* fill, int32_t size, void* y);
void ls_fill(void* y, const void* element, int32_t size, int32_t count);
/* y[o][offset .. offset + part] = x[o][part], rows of y `row` bytes long; through a table when not
 * null. */
void ls_concat(const void* x, void* y, int32_t outer, int32_t part, int32_t row, int32_t offset,
               const uint8_t* table);
/* y (filled before) gets x[h][w][run] at (top, left): rows of x are `row` bytes, of y `y_row`. */
void ls_place_rows(const void* x, void* y, int32_t rows, int32_t row, int32_t y_row,
                   int32_t offset);

/* Bilinear resize, channels last: per axis lower and upper index and the upper one's share in
 * 1/1024. */
typedef struct ls_resize {
  int32_t batch, in_h, in_w, out_h, out_w, channels;
  const int32_t* h_points; /* out_h times lower, upper, share */
  const int32_t* w_points;
  const float *h_shares, *w_shares; /* of ls_resize_bilinear_any on reals: the upper one's share */
} ls_resize;
void ls_resize_bilinear_s8(const ls_resize* p, const int8_t* x, int8_t* y);

#endif
