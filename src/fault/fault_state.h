#pragma once

#include "fault/fault.h"

namespace lockstep {

// The state that the node reads as this operand; null where it is none.
const State* state_at(const Site& site, std::size_t operand);
bool reads_state(const Site& site);

}  // namespace lockstep
