#pragma once

#include <span>
#include <string>

#include "diff/pair.h"

namespace lockstep {

// A recording that holds uint8 where the model has int8 (or the other way round) with codes and
// zero points moved by 128 and does not say so: its tensors are moved back, and a sentence says so.
// That is read from the tensors that agree with `expected` once moved and do not as they stand:
// four times as many as agree as they stand. "" and nothing changed otherwise.
std::string recode(std::span<const Sample> expected, Pairing& pairing);

}  // namespace lockstep
