#pragma once

#include <vector>

#include "fault/fault.h"

namespace lockstep {

// Parts of an output from a place along one axis on, that are not computed. `fill`: 0: zero bytes
// stand there; 1: the zero point; 2: what was read a run earlier.
void fill_tail(Replay& r, std::size_t axis, std::int64_t first, double fill);
// Where the differences begin along the axis: 0 where they begin with it, its extent where there
// are none.
std::int64_t first_wrong_along(const Site& site, const Evidence& evidence, std::size_t axis);

}  // namespace lockstep
