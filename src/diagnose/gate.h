#pragma once

#include "diagnose/verdict.h"
#include "diff/diff.h"

namespace lockstep {

// `--tolerance cosine:N`: one figure for each network output, end to end and over all samples
// joined, as a gate of how well a model was quantized wants it. No operation is judged: sets
// healthy, summary and, where the gate is missed, notes and advice. Error: an output was not
// compared.
Result<void> judge_gate(const Graph& graph, const Tolerance& tolerance, Verdict& v);

}  // namespace lockstep
