#pragma once

#include "fault/fault_runs.h"

namespace lockstep {

// A tear: bytes from `at` (a share of the tensor, or "r<run>.0.first") on are those of the run
// before.
std::vector<Params> torn(const Evidence& evidence);
// The share `at` that leaves least misfit, for a tensor of `count` elements.
std::vector<Params> fit_tear(std::int64_t count, const Misfit& misfit);
void tear(Replay& r, double at);

}  // namespace lockstep
