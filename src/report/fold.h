#pragma once

#include <string>
#include <vector>

#include "diagnose/verdict.h"
#include "diff/diff.h"

namespace lockstep {

// One line of the table. In a quantize-dequantize graph an operation, the quantizer behind it and
// the dequantizers of its codes are one thing to the reader: the line is the operation's, the
// figures are those of its codes. A quantizer or dequantizer that is wrong itself keeps a line of
// its own.
struct FoldedLine {
  std::size_t row = 0;    // index in Comparison::rows: name, operation, judgement
  std::size_t codes = 0;  // the row whose figures are shown; `row` when nothing was folded
};
std::vector<FoldedLine> fold_rows(const Comparison& comparison, const Graph& graph);

// The operation that a row is about: its producer, or the one whose result a quantizer turns into
// codes when that result itself was not captured. no_id for a network input.
NodeId operation_of(const Row& row, const Graph& graph);

// Operations that a row speaks for when tensors between were not captured: its segment without
// quantizers and dequantizers, at least 1.
std::size_t operations_in(const Row& row, const Graph& graph);

// Where the first wrong operation is. Captures that leave tensors out say only that it is one of
// `among`; a cause that nothing ties with then names it (`by_cause`), else `node` is the last of
// them.
struct WrongPlace {
  NodeId node = no_id;  // no_id: a network input, or nothing is wrong
  std::size_t among = 0;
  bool by_cause = false;
};
WrongPlace first_wrong_place(const Verdict& verdict, const Graph& graph);

}  // namespace lockstep
