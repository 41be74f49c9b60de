#pragma once

#include "diagnose/judge.h"

namespace lockstep {

// Whether a row that is right within rounding is so only over operations whose codes nobody
// captured: each may be off by a step, and so may something else.
bool rests_on_drift(const Graph& graph, const Row& row);

// Every element lies between the least and the greatest that the reference and the other
// arithmetics make of the device's own inputs (never computing without quantization).
bool inside_arithmetics(const Case& c, const Row& row);

// The share of a tensor's values that the others leave free: (n - 1) / n behind a softmax over n
// values, which sum to one; else 1. What drift can say is that much less.
double free_share(const Graph& graph, ValueId value);

// Rows of a device so far healthy that rest on drift: a cause that says more than rounding does
// makes the device faulty (its row wrong, the cause a suspect). Without one it stays undecided,
// unless every such row lies value by value inside what the named arithmetics make.
void settle_drift(const Case& c, Verdict& v);

}  // namespace lockstep
