#pragma once

#include "op/op.h"

namespace lockstep {

// SequenceLstm on codes; operands as that operator numbers them. The sizes have been checked.
struct LstmSizes {
  std::int64_t batch, steps, in, cells, out;
  bool time_major;
};

// Whether every operand is of the kind that eval_lstm_codes takes; the text says what is not. Shape
// rules and evaluation ask.
Result<void> check_lstm_codes(const NodeView& n);
Result<void> eval_lstm_codes(EvalContext& c, const LstmSizes& s);

}  // namespace lockstep
