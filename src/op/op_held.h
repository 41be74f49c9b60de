#pragma once

#include "op/op.h"

namespace lockstep {

// Attribute codes or makes = "unsigned": the runtime holds as uint8 what the operator reads or
// makes as int8 (passes of `ort` say so). Operators whose operands all have one type (Add, Mul,
// AveragePool) then hold every int8 operand so.
inline bool holds_unsigned(const NodeView& n) {
  return n.attrs().text("codes", "") == "unsigned" || n.attrs().text("makes", "") == "unsigned";
}

// What makes a stored code of this operand the runtime's.
inline std::int32_t held_shift(const NodeView& n, const Value& operand) {
  return operand.dtype == DType::i8 && holds_unsigned(n) ? 128 : 0;
}

}  // namespace lockstep
