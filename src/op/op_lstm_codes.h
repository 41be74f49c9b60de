#pragma once

#include <array>

#include "num/numerics.h"
#include "op/op.h"

namespace lockstep {

// SequenceLstm on codes; operands as that operator numbers them. The sizes have been checked.
struct LstmSizes {
  std::int64_t batch, steps, in, cells, out;
  bool time_major;
};

// What an LSTM on codes brings along to every run. A gate's products are added to from_x and
// from_h, which hold its bias and what the zero points of x and h add.
struct LstmCodes {
  enum Gate : std::size_t { input_gate, forget_gate, cell_gate, output_gate };
  struct Weights {
    const std::int8_t *w = nullptr, *r = nullptr;
    const std::int16_t* peephole = nullptr;
    std::vector<std::int32_t> from_x, from_h;
    Rescale x_scale, h_scale, peephole_scale;
  };
  // Constant operands stand in `in`.
  LstmCodes(const NodeView& n, std::span<const Tensor* const> in, const LstmPolicy& policy);

  std::array<Weights, 4> gates;
  bool coupled = false;                                    // no input gate
  int cell_power = 0, cell_clip = 0, projection_clip = 0;  // a clip of 0: none
  std::int32_t hidden_zero = 0, state_zero = 0;
  Rescale hidden_scale, project_scale;
  const std::int8_t* projection = nullptr;
  std::vector<std::int32_t> projected;  // as from_x; empty: no projection
};

// Whether every operand is of the kind that eval_lstm_codes takes; the text says what is not. Shape
// rules and evaluation ask.
Result<void> check_lstm_codes(const NodeView& n);
Result<void> eval_lstm_codes(EvalContext& c, const LstmSizes& s);

}  // namespace lockstep
