/*
 * Kernels on float32 and on plain numbers, in portable C: each step rounded as the reference does
 * it.
 */
#ifndef LS_NUMBER_H
#define LS_NUMBER_H

#include "ls_any.h"

/* y = f(x), computed in double and rounded once. a and b are the function's parameters. */
typedef double (*ls_function)(double x, double a, double b);
void ls_map_f32(ls_function f, double a, double b, const float* x, float* y, size_t count);
double ls_absolute(double x, double a, double b);
double ls_ceil(double x, double a, double b);
double ls_celu(double x, double a, double b);
double ls_cos(double x, double a, double b);
double ls_elu(double x, double a, double b);
double ls_erf(double x, double a, double b);
double ls_exp(double x, double a, double b);
double ls_floor(double x, double a, double b);
double ls_gelu(double x, double a, double b);
double ls_gelu_tanh(double x, double a, double b);
double ls_hard_sigmoid(double x, double a, double b);
double ls_hard_swish(double x, double a, double b);
double ls_held(double x, double a, double b); /* between a and b */
double ls_leaky(double x, double a, double b);
double ls_log(double x, double a, double b);
double ls_mish(double x, double a, double b);
double ls_reciprocal_of(double x, double a, double b);
double ls_round_even(double x, double a, double b);
double ls_rsqrt(double x, double a, double b); /* in float32 */
double ls_selu(double x, double a, double b);
double ls_sigmoid(double x, double a, double b);
double ls_sigmoid_single(double x, double a, double b); /* in float32, by pieces */
double ls_sign(double x, double a, double b);
double ls_sin(double x, double a, double b);
double ls_softplus(double x, double a, double b);
double ls_softsign(double x, double a, double b);
double ls_sqrt(double x, double a, double b);
double ls_tanh(double x, double a, double b);
double ls_thresholded(double x, double a, double b);
/* Functions as onnxruntime computes them, in float32; some take the last count % 4 elements by the
 * C library. */
enum {
  LS_SINGLE_LOG,
  LS_SINGLE_ERF,
  LS_SINGLE_GELU,
  LS_SINGLE_GELU_TANH,
  LS_SINGLE_ELU,
  LS_SINGLE_SELU,
  LS_SINGLE_SOFTPLUS,
  LS_SINGLE_MISH,
  LS_SINGLE_SOFTSIGN,
  LS_SINGLE_HARD_SIGMOID,
  LS_SINGLE_HARD_SWISH,
  LS_SINGLE_CELU
};
void ls_single_f32(int32_t what, float a, float b, const float* x, float* y, size_t count);
/* One call for float32, what a fused activation does after it. */
void ls_hold_f32(float low, float high, float* y, size_t count);

/* Reductions of float32: terms are summed in double, or in float32 where `single`, in the order of
 * x. */
enum { LS_SUM, LS_MEAN, LS_ROOT, LS_LOG_SUM, LS_PRODUCT, LS_GREATEST, LS_LEAST };
enum { LS_AS_IT_IS, LS_MAGNITUDE, LS_SQUARED, LS_EXPONENTIAL };
typedef struct ls_reduce_real {
  ls_axes axes;
  uint8_t kind, term, single;
} ls_reduce_real;
void ls_reduce_f32(const ls_reduce_real* p, const float* x, float* y);
/*
 * Reductions of float32 as onnxruntime sums them. `form`: x[outer][reduced] by vectors row by row;
 * x[outer][reduced][inner] in fours; x[outer][inner][reduced] by vectors, then one by one; anything
 * one by one, from zero (one for a product) or from the first element.
 */
enum { LS_BY_ROW, LS_BY_FOURS, LS_BY_ROW_AND_BLOCK, LS_ONE_BY_ONE, LS_FROM_FIRST };
typedef struct ls_reduce_vector {
  ls_axes axes; /* of LS_ONE_BY_ONE and LS_FROM_FIRST */
  int32_t outer, reduced, inner;
  int32_t divisor; /* of a mean */
  uint8_t form, kind, term;
} ls_reduce_vector;
void ls_reduce_vector_f32(const ls_reduce_vector* p, const float* x, float* y);
/* Means of planes, whose elements stand `step` apart: straight (one sum), in four lanes, or in
 * double. */
enum { LS_STRAIGHT, LS_LANES, LS_DOUBLE };
void ls_plane_mean_f32(const float* x, float* y, int32_t planes, int32_t count, int32_t step,
                       int32_t how);

/* Groups of `count` neighbours brought to mean 0 and variance 1, then times scale and plus bias
   (NULL: none), which element i of x takes from i / inner % extent. */
typedef struct ls_normal {
  int32_t groups, count, inner, extent;
  double epsilon;
} ls_normal;
void ls_normalize_f32(const ls_normal* p, const float* x, const float* scale, const float* bias,
                      float* y);
/* onnxruntime's: rows with scale and bias by element, planes with one of each by channel, groups of
 * channels. */
void ls_normalize_rows_f32(const ls_normal* p, const float* x, const float* scale,
                           const float* bias, float* y);
void ls_normalize_planes_f32(const ls_normal* p, const float* x, const float* scale,
                             const float* bias, float* y);
void ls_normalize_groups_f32(const ls_normal* p, const float* x, const float* scale,
                             const float* bias, float* y);
/* Local response normalization over x[outer][channels][inner]: y = x * (bias + factor * the sum of
   squares of `size` channels around it) ^ -beta. `along`: one sum runs along the channels
   (onnxruntime); else each is formed anew, without the last channel of its window (TFLite). */
typedef struct ls_neighbours {
  int32_t outer, channels, inner, size;
  float factor, bias, beta;
  uint8_t along;
} ls_neighbours;
void ls_normalize_neighbours_f32(const ls_neighbours* p, const float* x, float* y);
/* Rows over their length; power 1 or 2; in double, or in float32 where `single`. */
void ls_lp_normalize_f32(const float* x, float* y, int32_t outer, int32_t count, int32_t inner,
                         int32_t power, int32_t single);
/* In float32, lengths of 1e-6 at least. */
void ls_l2_normalize_f32(const float* x, float* y, int32_t rows, int32_t count);
void ls_log_softmax_f32(const float* x, float* y, int32_t outer, int32_t count, int32_t inner);
/* onnxruntime's: exponential by polynomial, sums in 16 lanes; elements of a row stand `inner`
 * apart. */
void ls_softmax_rows_f32(const float* x, float* y, int32_t outer, int32_t count, int32_t inner);
void ls_log_softmax_rows_f32(const float* x, float* y, int32_t outer, int32_t count, int32_t inner);
/* XNNPACK's, with fused steps: functions, softmax, sums over y[outer][inner] = factor * sum of
 * x[outer][count][inner]; `lanes`: the elements of a sum lie together (inner is 1) and are summed
 * in sixteen lanes. */
void ls_fused_sigmoid_f32(const float* x, float* y, size_t count);
void ls_fused_exp_f32(const float* x, float* y, size_t count);
void ls_fused_elu_f32(float alpha, const float* x, float* y, size_t count);
void ls_fused_tanh_f32(const float* x, float* y, size_t count);
void ls_fused_hard_swish_f32(const float* x, float* y, size_t count);
void ls_fused_softmax_f32(const float* x, float* y, int32_t outer, int32_t count, int32_t inner);
void ls_fused_sums_f32(const float* x, float* y, int32_t outer, int32_t count, int32_t inner,
                       uint8_t lanes, float factor);
/* Over axes that lie apart: the innermost of them is summed so, its sums, each times the factor,
 * are added in turn. */
void ls_fused_sums_apart_f32(const ls_axes* axes, const float* x, float* y, uint8_t lanes,
                             float factor);
/* By the C library's expf. */
void ls_softmax_plain_f32(const float* x, float* y, int32_t outer, int32_t count, int32_t inner,
                          float beta);

/* Numbers of any type. */
void ls_cast(const void* x, uint8_t x_type, void* y, uint8_t y_type, size_t count);
enum {
  LS_PLUS,
  LS_MINUS,
  LS_TIMES,
  LS_OVER,
  LS_MIN,
  LS_MAX,
  LS_POWER,
  LS_MOD,
  LS_FMOD,
  LS_POWER_SINGLE,
  LS_POWER_ONE,
  LS_FLOOR_OVER,
  LS_ATAN2,
  LS_ATAN2_SINGLE
};
enum {
  LS_EQUAL,
  LS_NOT_EQUAL,
  LS_LESS,
  LS_LESS_EQUAL,
  LS_GREATER,
  LS_GREATER_EQUAL,
  LS_AND,
  LS_OR,
  LS_XOR
};
typedef struct ls_pair {
  ls_spread spread;
  int32_t what;
  uint8_t type, b_type;
} ls_pair;
void ls_combine(const ls_pair* p, const void* a, const void* b, void* y);
void ls_compare(const ls_pair* p, const void* a, const void* b, uint8_t* y);
/* Codes on the grid on which they are compared: distance times 256 times the multiplier. */
typedef struct ls_compare_codes_p {
  ls_pair pair;
  int32_t a_zero, a_multiplier, a_shift;
  int32_t b_zero, b_multiplier, b_shift;
} ls_compare_codes_p;
void ls_compare_codes(const ls_compare_codes_p* p, const void* a, const void* b, uint8_t* y);
void ls_not(const uint8_t* x, uint8_t* y, size_t count);
/* y = condition ? a : y, all spread: a's elements of `bytes` bytes. Called with a where 1 and where
 * 0. */
void ls_choose(const ls_spread* s, const uint8_t* condition, int32_t where, const void* a,
               int32_t bytes, void* y);
/* Index of the greatest (sign 1) or least (-1): the first, or the last. */
void ls_arg(const void* x, uint8_t x_type, void* y, uint8_t y_type, int32_t outer, int32_t count,
            int32_t inner, int32_t sign, int32_t last);
/* Along an axis: the k greatest (or least) elements and their indices, the first of equal ones
   first; y or index may be NULL. Running sums of float32, int32 or int64. */
void ls_top_k(const void* x, uint8_t type, void* y, void* index, uint8_t index_type, int32_t outer,
              int32_t count, int32_t inner, int32_t k, int32_t largest);
void ls_cum_sum(const void* x, uint8_t type, void* y, int32_t outer, int32_t count, int32_t inner,
                int32_t exclusive, int32_t reverse);
/* y = rows of x chosen by index (negative: from the end; beyond: the nearest):
 * x[outer][extent][bytes]. */
void ls_gather(const void* x, const void* index, uint8_t index_type, void* y, int32_t outer,
               int32_t extent, int32_t count, int32_t bytes);

/* Reals and codes by several scales: element i takes that of i / inner % extent. */
enum { LS_EVEN, LS_AWAY, LS_INVERSE };
typedef struct ls_grid {
  int32_t inner, extent, low, high;
  const float* scale;
  const int32_t* zero;
  uint8_t type, how;
  uint8_t
      rest; /* elements at the end that become codes by quotients in double, ties away from zero */
} ls_grid;
void ls_quantize_any(const ls_grid* p, const float* x, void* y, size_t count);
void ls_dequantize_any(const ls_grid* p, const void* x, float* y, size_t count);
/* Scale and zero point from the range of x, which includes zero; uint8. */
void ls_quantize_dynamic(const float* x, uint8_t* y, float* scale, uint8_t* zero, size_t count);
/* Products of codes whose zero points are computed: int32. `zeros`: NULL, one, or one a row of a or
 * column of b. */
void ls_matmul_integer(const ls_matmul_any_p* p, const void* a, const void* b, const void* a_zero,
                       int32_t a_zeros, const void* b_zero, int32_t b_zeros, int32_t* y);

/* Taps of one axis of a resize: where each output's start, and each tap's element and weight. */
typedef struct ls_taps {
  const int32_t* first; /* extent + 1 */
  const int32_t* index;
  const float* weight;
  const int32_t* fine; /* weights in fixed point, of ls_resize_fine */
} ls_taps;
typedef struct ls_resize_any_p {
  int32_t in[4], out[4];
  ls_taps taps[4];
  uint8_t type, corners; /* one sum over corners; else sums of sums */
  double outside;
} ls_resize_any_p;
void ls_resize_any(const ls_resize_any_p* p, const void* x, void* y);

float ls_rational_sigmoid(float x);
float ls_rational_tanh(float x);

#endif
