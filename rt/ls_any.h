/*
 * Kernels of any element type, in portable C: for 16-bit codes and for operators that are rarer
 * than those of ls_rt.h. Each is as exact as those.
 */
#ifndef LS_ANY_H
#define LS_ANY_H

#include "ls_rt.h"

/* Types of elements. */
enum { LS_S8, LS_U8, LS_S16, LS_U16, LS_S32, LS_S64, LS_F32, LS_F64, LS_BOOL };

/* An element that fits in 32 bits, as a number. */
static inline int32_t ls_get(const void* x, int32_t i, uint8_t type) {
  switch (type) {
    case LS_S8:
      return ((const int8_t*)x)[i];
    case LS_S16:
      return ((const int16_t*)x)[i];
    case LS_U16:
      return ((const uint16_t*)x)[i];
    case LS_S32:
      return ((const int32_t*)x)[i];
    default:
      return ((const uint8_t*)x)[i];
  }
}
static inline void ls_put(void* y, int32_t i, uint8_t type, int32_t v) {
  switch (type) {
    case LS_S8:
      ((int8_t*)y)[i] = (int8_t)v;
      return;
    case LS_S16:
      ((int16_t*)y)[i] = (int16_t)v;
      return;
    case LS_U16:
      ((uint16_t*)y)[i] = (uint16_t)v;
      return;
    case LS_S32:
      ((int32_t*)y)[i] = v;
      return;
    default:
      ((uint8_t*)y)[i] = (uint8_t)v;
      return;
  }
}

/* How a sum becomes a code, by one multiplier each channel (by = 1) or one for all (by = 0). */
enum {
  LS_TWICE,  /* rounded twice, as ls_finish_fixed */
  LS_ONCE,   /* as ls_finish_fixed_once */
  LS_REAL32, /* as ls_finish_float */
  LS_REAL64, /* as ls_finish_double */
  LS_WIDE    /* a 64-bit sum times the multiplier cut to 16 bits, rounded once, ties up */
};
typedef struct ls_scaler {
  ls_requant q;
  uint8_t steps, by, type; /* of y */
  uint8_t wide;            /* the sum has 64 bits; else it wraps to 32 */
  int32_t half_up; /* of LS_TWICE: so many first channels are rounded ties up the second time */
} ls_scaler;
int32_t ls_scaled(const ls_scaler* s, int64_t sum, int32_t channel);

/*
 * Convolution of any codes, also transposed: then tap (i, j) of input (h, w) adds to output (h
 * stride_h - top + i dilation_h, ...). Weights are [out_c][window][channel of the group].
 */
typedef struct ls_conv_any_p {
  ls_window window;
  ls_depth depth;
  int32_t group, x_zero, w_zero; /* w_zero: after what was taken off uint8 weights */
  uint8_t transposed, x_type;
  const int8_t* weights;
  const int64_t* bias;    /* NULL: none */
  const int32_t* w_zeros; /* one of each output channel, beside w_zero 0; NULL: w_zero of all */
  ls_scaler scale;
} ls_conv_any_p;
void ls_conv_any(const ls_conv_any_p* p, const void* x, void* y);

/*
 * Of 16-bit codes, channels last, all zero points 0. Weights are packed four output channels at a
 * time, eight codes of depth (window row, window column, channel) in turn: [group][channel /
 * 4][depth / 8][4][8]; depthwise [channel / 8][tap][8], at most LS_MOST_TAPS_16 taps. The rest is
 * filled with zeros. scratch: depth rounded up to eight, where windows are copied.
 */
#define LS_MOST_TAPS_16 256
typedef struct ls_conv_16_p {
  ls_window window;
  int32_t group;
  const int8_t* weights;
  const int64_t* bias; /* NULL: none */
  ls_scaler scale;
} ls_conv_16_p;
void ls_conv_16(const ls_conv_16_p* p, const int16_t* x, int16_t* y, int16_t* scratch);
void ls_depthwise_16(const ls_conv_16_p* p, const int16_t* x, int16_t* y);

/* Channels first, weights [out_c][channel of the group][window]; zero points are computed: x's one,
   w's one or one a channel. int32. */
typedef struct ls_conv_integer_p {
  ls_window window;
  int32_t group;
  uint8_t x_type, w_type;
} ls_conv_integer_p;
void ls_conv_integer(const ls_conv_integer_p* p, const void* x, const void* w, const void* x_zero,
                     int32_t x_zeros, const void* w_zero, int32_t w_zeros, int32_t* y);

/* Products of stacked matrices of any codes; the strides are those of ls_matmul. */
typedef struct ls_matmul_any_p {
  int32_t count, m, n, k;
  int32_t a_step, b_step;
  int32_t a_row, a_col, b_row, b_col;
  int32_t a_zero, b_zero;
  uint8_t a_type, b_type;
  const int32_t* b_zeros; /* one a column instead of b_zero; NULL: none */
  ls_scaler scale;
} ls_matmul_any_p;
void ls_matmul_any(const ls_matmul_any_p* p, const void* a, const void* b, void* y);

/* Greatest, or average (sum / n, ties away from zero), of windows; `empty`: of one in the padding
 * alone. */
typedef struct ls_pool_any_p {
  ls_window window;
  ls_depth depth;
  int32_t low, high, empty;
  uint8_t type;
} ls_pool_any_p;
void ls_max_pool_any(const ls_pool_any_p* p, const void* x, void* y);
void ls_average_pool_any(const ls_pool_any_p* p, const void* x, void* y);

/* Index space of a reduction: y in order over `kept`, each over `reduced`; strides in x. */
typedef struct ls_axes {
  int32_t kept[4], kept_stride[4];
  int32_t reduced[4], reduced_stride[4];
} ls_axes;
/* y = finish(start + sum of x). `bytes`: 8-bit codes enter as unsigned bytes. */
typedef struct ls_sum_any_p {
  ls_axes axes;
  int32_t start;
  uint8_t x_type, y_bytes;
  ls_finish finish;
  ls_requant q;
} ls_sum_any_p;
void ls_sum_any(const ls_sum_any_p* p, const void* x, void* y);
/* float32 * factor + offset, rounded ties to even; 8-bit codes. */
void ls_finish_offset(const ls_requant* q, const int32_t* acc, int32_t count, int32_t channel,
                      int32_t rows, void* y, int32_t step);
/* The same, ties away from zero, the zero point added behind it; 16-bit codes. */
void ls_finish_offset_16(const ls_requant* q, const int32_t* acc, int32_t count, int32_t channel,
                         int32_t rows, void* y, int32_t step);
/* As ls_finish_fixed_one into 16-bit codes. */
void ls_finish_fixed_16(const ls_requant* q, const int32_t* acc, int32_t count, int32_t channel,
                        int32_t rows, void* y, int32_t step);
/* Greatest (sign 1) or least (-1) of codes. */
typedef struct ls_extreme {
  ls_axes axes;
  uint8_t type;
  int8_t sign;
} ls_extreme;
void ls_extreme_any(const ls_extreme* p, const void* x, void* y);
/* Products of codes, each factor by `multiplier` and `shift` as LS_WIDE, and the product once more.
 */
typedef struct ls_product {
  ls_axes axes;
  int32_t x_zero, multiplier, shift, y_zero, low, high;
  uint8_t type;
} ls_product;
void ls_product_any(const ls_product* p, const void* x, void* y);

/* Codes under another scale, zero point or type: rounded twice. */
typedef struct ls_change {
  int32_t x_zero, multiplier, shift, y_zero, low, high;
  uint8_t x_type, y_type;
} ls_change;
void ls_requantize_any(const ls_change* p, const void* x, void* y, size_t count);

/* Two operands of codes. */
enum {
  LS_ADD,         /* both on one grid, as ls_add_fixed_8 */
  LS_MUL,         /* as ls_mul_fixed_8 */
  LS_SQUARE,      /* as ls_squared_difference_fixed_8 */
  LS_PRELU,       /* b: slope; x itself by a_multiplier */
  LS_DIV,         /* through the reciprocal of b */
  LS_ADD_ALIGNED, /* (a a_multiplier + b b_multiplier) / 2^y_shift, ties up */
  LS_MUL_LATE     /* float32 product times factor, ties to even */
};
/* Sums of which whole vectors along a row of y are computed otherwise than the rest of the row. */
enum {
  LS_NO_VECTORS,
  LS_VECTORS_ONCE, /* an operand's shift before its multiplier */
  LS_VECTORS_FLOOR /* behind it, toward minus infinity */
};
typedef struct ls_binary_any_p {
  ls_spread spread;
  int32_t steps;
  int32_t a_zero, b_zero, left;
  int32_t a_multiplier, a_shift;
  int32_t b_multiplier, b_shift;
  int32_t y_multiplier, y_shift;
  int32_t y_zero, low, high;
  float factor;
  uint8_t minus;      /* b is taken off */
  uint8_t once;       /* rounded once */
  uint8_t vectors;    /* LS_NO_VECTORS, ... */
  int32_t row, whole; /* elements of a row, and of its vectors */
  uint8_t a_type, b_type, y_type;
} ls_binary_any_p;
void ls_binary_any(const ls_binary_any_p* p, const void* a, const void* b, void* y);

/* Rows of codes, `inner` elements apart, count of them; `outer` times `inner` rows. */
typedef struct ls_rows {
  int32_t outer, count, inner;
  int32_t x_zero, y_zero, low, high;
  int32_t multiplier, shift;           /* of differences */
  int32_t back_multiplier, back_shift; /* of the logarithm */
  int32_t least;                       /* difference that still counts */
  float x_scale, y_scale;
  const float* terms; /* exp of a difference, by difference */
  uint8_t x_type, y_type;
} ls_rows;
void ls_l2_normalize(const ls_rows* p, const void* x,
                     void* y); /* by the root of the sum of squares; step 1/128 */
void ls_log_softmax_fixed(const ls_rows* p, const void* x, void* y);
void ls_log_softmax_real(const ls_rows* p, const void* x, void* y); /* in float32 */
void ls_softmax_real(const ls_rows* p, const void* x, void* y);     /* in float32 */
/* 16-bit codes: exponentials and inverses by 513 samples each. */
void ls_softmax_16(const ls_rows* p, const int16_t* exponentials, const int16_t* inverses,
                   const int16_t* x, int16_t* y);

/* Functions of 16-bit codes: straight lines between 513 samples; sigmoid and tanh from 256 samples
 * of a sigmoid. */
void ls_table_16(const int16_t* table, const int16_t* x, int16_t* y,
                 size_t count); /* table[x + 32768] */
void ls_samples_16(const int16_t* samples, const int16_t* x, int16_t* y, size_t count);
void ls_sigmoid_16(const uint16_t* samples, int32_t multiplier, int32_t shift, int32_t tanh,
                   const int16_t* x, int16_t* y, size_t count);

/* Bilinear resize: float32; float32 plus 1/2, cut; shares in 1/1024, ties away; shares in 1/2048,
 * ties up. */
enum {
  LS_MIX_REALS,
  LS_MIX_HALF_UP,
  LS_MIX_1024,
  LS_MIX_2048,
  LS_MIX_STEPS
}; /* the last: reals, rows first */
void ls_resize_bilinear_any(const ls_resize* p, int32_t how, uint8_t type, const void* x, void* y);

/* State of `memory` entries a filter moves on, takes x * w in, and is weighed by v. Codes. */
typedef struct ls_svdf {
  int32_t batch, in, filters, memory, rank;
  int32_t x_zero, w_zero, v_zero, state_zero;
  uint8_t x_type, w_type, v_type, state_type;
  ls_change in_scale;  /* multiplier, shift and bounds into the state */
  ls_change out_scale; /* and out of it */
  const void *w, *v;
  const int32_t* bias; /* NULL: none */
} ls_svdf;
void ls_svdf_any(const ls_svdf* p, const void* x, const void* state, void* y, void* after);

#endif
