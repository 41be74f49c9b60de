#pragma once

#include "num/numerics.h"

namespace lockstep {

// The steps of an LSTM on codes: 8-bit activations, weights and output state, 16-bit cell state and
// gates. Gates enter their function as Q3.12 and leave it as Q0.15. docs/numerics.md N96.
struct LstmPolicy {
  std::string_view name;
  Rescale (*multiplier)(double real);  // of a ratio of scales
  // what a product of codes adds to a 16-bit gate
  std::int16_t (*accumulate)(std::int32_t acc, const Rescale& r, std::int16_t before);
  std::int16_t (*sigmoid)(std::int16_t x);
  std::int16_t (*tanh)(std::int16_t x, int integer_bits);
  std::int16_t (*product)(std::int16_t a, std::int16_t b, int down);  // a * b / 2^down
  std::int16_t (*sum)(std::int16_t a, std::int16_t b);
  std::int16_t (*complement)(std::int16_t a);  // 1 - a of a Q0.15
  // output gate times the cell's tanh, as a code around `zero`
  std::int8_t (*hidden)(std::int16_t a, std::int16_t b, const Rescale& r, std::int32_t zero);
  std::int8_t (*project)(std::int32_t acc, const Rescale& r,
                         std::int32_t zero);  // null, as complement: no such form
  // The same of a row, code for code; null: one by one. Without `before` it is 0.
  void (*accumulate_row)(const std::int32_t* acc, const Rescale& r, const std::int16_t* before,
                         std::int16_t* y, std::int64_t n) = nullptr;
  void (*sigmoid_row)(const std::int16_t* x, std::int16_t* y, std::int64_t n) = nullptr;
  void (*tanh_row)(const std::int16_t* x, int integer_bits, std::int16_t* y,
                   std::int64_t n) = nullptr;
  bool hidden_is_state = false;  // o * act(c') takes the output state's scale, the ratio in double
};

extern const LstmPolicy tflite_lstm;
// Rows of tflite_lstm's steps, in the widest vectors that the processor has; x = y is allowed.
void tflite_accumulate_row(const std::int32_t* acc, const Rescale& r, const std::int16_t* before,
                           std::int16_t* y, std::int64_t n);
void tflite_sigmoid_row(const std::int16_t* x, std::int16_t* y, std::int64_t n);
void tflite_tanh_row(const std::int16_t* x, int integer_bits, std::int16_t* y,
                     std::int64_t n);                       // integer_bits 0 to 6
extern const LstmPolicy cmsis_nn_lstm, cmsis_nn_lstm_once;  // N97, rounded twice or once

}  // namespace lockstep
