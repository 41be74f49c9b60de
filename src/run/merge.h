#pragma once

#include <span>

#include "run/capture.h"

namespace lockstep {

// Captures of several builds of one network (variants with other exposed tensors) as one. A tensor
// that several hold is taken from the first; where they disagree a note says in how many values: then
// the builds do not compute alike, and what one shows is no evidence about another. Error: other
// numbers of samples.
Result<Capture> merge_captures(std::span<const Capture> captures);

}  // namespace lockstep
