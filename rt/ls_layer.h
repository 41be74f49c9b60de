/*
 * Layers of float32 and recurrent ones, in portable C: each step rounded as the reference does it.
 */
#ifndef LS_LAYER_H
#define LS_LAYER_H

#include "ls_number.h"

/*
 * Convolution, also transposed (see ls_conv_any), of either layout. Weights are
 * [out_c][window][channel of the group]. Each tap's channels are summed by `order`; then taps,
 * bias, bounds.
 */
enum {
  LS_PLAIN,            /* one by one, rounded twice a step, through all taps */
  LS_FUSED_PIECES,     /* fused, in pieces of `block` */
  LS_ROUNDED_FOURS,    /* products rounded, four at a time */
  LS_FROM_BIAS,        /* fused, from the bias on, through all taps */
  LS_FROM_BIAS_COLUMNS /* the same, the window column by column */
};
typedef struct ls_conv_plain {
  ls_window window;
  ls_depth depth;
  int32_t group, order, block;
  float low, high;
  uint8_t transposed;
  uint8_t by_tap; /* each tap's channels are summed from zero, then added */
  const float* weights;
  const float* bias;
} ls_conv_plain;
void ls_conv_plain_f32(const ls_conv_plain* p, const float* x, float* y);

/*
 * Float32 under 8-bit weights around zero, channels last: each image of the batch becomes codes by
 * one scale, which stand in `scratch`, in_h * in_w * in_c bytes. Weights are
 * [out_c][window][channel of the group].
 */
enum { LS_SYMMETRIC, LS_ASYMMETRIC, LS_DYNAMIC }; /* the last: XNNPACK's, in float32 */
enum {
  LS_HYBRID_FUSED,   /* sum x_scale, fused by w_scale with the bias */
  LS_HYBRID_JOINED,  /* sum (w_scale x_scale) + bias */
  LS_HYBRID_WEIGHTS, /* (sum w_scale) x_scale + bias */
  LS_HYBRID_FOURS /* so in the first `fours` channels, (sum x_scale) w_scale + bias in the others */
};
/* float32 as codes: real = scale (code - zero). */
typedef struct ls_coding {
  float scale;
  int32_t zero;
} ls_coding;
ls_coding ls_code_row(uint8_t kind, const float* x, int8_t* codes, int32_t count);
typedef struct ls_hybrid {
  ls_window window;
  int32_t group, fours;
  uint8_t coding, steps, by; /* by: a scale of each output channel */
  float low, high;
  const int8_t* weights;
  const float* scales;
  const float* bias; /* NULL: none */
} ls_hybrid;
void ls_hybrid_f32(const ls_hybrid* p, const float* x, float* y, int8_t* scratch);

/* Averages of windows; `columns` 1: column sums first, 2: nine taps at a time, column by column.
   `padded_h`, `padded_w`, `padded_d`: what the divisor counts, 0: what is there. */
typedef struct ls_average_real {
  ls_window window;
  ls_depth depth;
  int32_t padded_h, padded_w, padded_d;
  float low, high, empty; /* the last: of a window in the padding alone */
  uint8_t columns;
} ls_average_real;
void ls_average_pool_f32(const ls_average_real* p, const float* x, float* y);
/* The greatest of windows of three axes, not below `low`. */
typedef struct ls_max_volume {
  ls_window window;
  ls_depth depth;
  float low, high;
} ls_max_volume;
void ls_max_volume_f32(const ls_max_volume* p, const float* x, float* y);
/* As ls_average_float, over windows of three axes. */
typedef struct ls_average_volume {
  ls_window window;
  ls_depth depth;
  int32_t x_zero;
  float x_scale, y_scale, y_zero;
  int32_t low, high, y_offset;
  uint8_t is_unsigned, include_pad;
} ls_average_volume;
void ls_average_volume_8(const ls_average_volume* p, const void* x, void* y);

/* y[i][j] = sum over k of a[i][k] b[k][j], by `order`; stacked. It starts from the bias, or takes
 * it in afterwards. */
enum { LS_MATRIX_PLAIN, LS_MATRIX_PIECES, LS_MATRIX_FOURS, LS_MATRIX_EIGHTS, LS_MATRIX_FROM_BIAS };
typedef struct ls_matrix_real {
  int32_t count, m, n, k;
  int32_t a_step, b_step;
  int32_t a_row, a_col, b_row, b_col;
  int32_t order, block;
  int32_t bias_row, bias_col;
  float alpha, beta, low, high;
  uint8_t across; /* LS_MATRIX_EIGHTS: its columns are the rows of y */
  uint8_t
      factors; /* not LS_MATRIX_PLAIN: the sum starts from zero, y = fma(sum, alpha, beta * bias) */
} ls_matrix_real;
void ls_matrix_f32(const ls_matrix_real* p, const float* a, const float* b, const float* bias,
                   float* y);

/* y[m][n] = sum over k of x[m][k] w[n][k] + bias[n]. Weights are (code - zero) times a scale, both
   of `block` neighbours along k; codes of four bits stand two in a byte, the first in its lower
   half, rows and zero points (NULL: the middle of the range) from whole bytes on. scratch: k
   floats. */
enum { LS_CODES_DOUBLE, LS_CODES_SIXTEENS, LS_CODES_EIGHTS, LS_CODES_PIECES };
typedef struct ls_matrix_codes {
  int32_t m, n, k, bits, block;
  int32_t order, piece; /* LS_CODES_PIECES: fused so many at a time */
  uint8_t from_bias;    /* the sum starts there; else it is added */
} ls_matrix_codes;
void ls_matrix_codes_f32(const ls_matrix_codes* p, const float* x, const uint8_t* codes,
                         const float* scale, const uint8_t* zeros, const float* bias, float* y,
                         float* scratch);

/* Recurrent layers on float32. Weights [directions][gates * hidden][in], [...][hidden]; h, c: NULL
   or the first values; scratch: gates * hidden + 2 * hidden floats. `x_block`, `h_block`: how
   products by x and by h are summed: 0: each step rounded; LS_BY_EIGHTS: ls_in_eights; else fused,
   in blocks that are added in order. */
enum { LS_BY_EIGHTS = -1 };
typedef struct ls_recurrent {
  int32_t steps, batch, in, hidden, directions, x_block, h_block;
  uint8_t batch_first, reverse,
      rational;        /* functions by quotients of polynomials, else the C library's */
  uint8_t reset_after; /* GRU: the reset gate meets the recurrent product */
  uint8_t cut;         /* sigmoids are 1 above 16.6, and exponentials alone below -9 */
  uint8_t quotients;   /* GRU, RNN: onnxruntime's own functions of gates */
} ls_recurrent;
void ls_lstm_f32(const ls_recurrent* p, const float* x, const float* w, const float* r,
                 const float* bias, const float* h, const float* c, float* y, float* y_h,
                 float* y_c, float* scratch);
/* scratch: 6 * hidden floats. */
void ls_gru_f32(const ls_recurrent* p, const float* x, const float* w, const float* r,
                const float* bias, const float* h, float* y, float* y_h, float* scratch);

/* scratch: 2 * hidden floats. */
void ls_rnn_f32(const ls_recurrent* p, const float* x, const float* w, const float* r,
                const float* bias, const float* h, float* y, float* y_h, float* scratch);

/* An LSTM as TFLite has it, states from run to run. Gates: input, forget, cell, output; of those
   `w`, `r` are rows of each cell, `from_x`, `from_h` what the sums start from. `samples`: of the
   sigmoid (CMSIS-NN), NULL: fixed-point polynomials. scratch: four rows of cells of 16 bits. */
typedef struct ls_factor {
  int32_t multiplier, shift;
} ls_factor;
typedef struct ls_gate {
  const int8_t *w, *r;
  const int16_t* peephole;
  const int32_t *from_x, *from_h;
  ls_factor x_scale, h_scale, peephole_scale;
} ls_gate;
typedef struct ls_lstm_codes {
  int32_t batch, steps, in, cells, out;
  uint8_t time_major, coupled, once; /* coupled: the input gate is one less the forget gate */
  int32_t cell_power, cell_clip, projection_clip, hidden_zero, state_zero;
  ls_factor hidden_scale, project_scale;
  const int8_t* projection; /* NULL: none */
  const int32_t* projected;
  const uint16_t* samples;
  ls_gate gates[4];
} ls_lstm_codes;
void ls_lstm_codes_8(const ls_lstm_codes* p, const int8_t* x, const int8_t* h, const int16_t* c,
                     int8_t* y, int8_t* h_after, int16_t* c_after, int16_t* scratch);
/* On float32; scratch: three rows of cells, and bytes for x, h and a row of cells. Weights
 * are float32, or 8-bit codes (`is_coded`) of one scale each, under rows coded as `coding` says. */
typedef struct ls_lstm_weights {
  const float* reals;
  const int8_t* codes;
  float scale;
} ls_lstm_weights;
typedef struct ls_lstm_real {
  int32_t batch, steps, in, cells, out;
  uint8_t is_coded, coding, projects;
  uint8_t time_major, is_tanh; /* the cell's activation: a tanh, or held between low and high */
  uint8_t cut;                 /* gates are 1 above 16.6, and exponentials alone below -9 */
  float low, high, cell_clip, projection_clip;
  ls_lstm_weights w[4], r[4], projection; /* w[0] empty: coupled */
  const float *bias[4], *peephole[4], *projection_bias;
} ls_lstm_real;
void ls_lstm_sequence_f32(const ls_lstm_real* p, const float* x, const float* h, const float* c,
                          float* y, float* h_after, float* c_after, float* scratch);
/* h' = act(b + W x + R h), step by step, y = h'. scratch: `units` floats, and bytes for x and h. */
typedef struct ls_rnn_real {
  int32_t batch, steps, in, units;
  uint8_t is_coded, coding, time_major, is_tanh; /* as ls_lstm_real has them */
  float low, high;
  ls_lstm_weights w, r;
  const float* bias;
} ls_rnn_real;
void ls_rnn_sequence_f32(const ls_rnn_real* p, const float* x, const float* h, float* y,
                         float* h_after, float* scratch);

#endif
