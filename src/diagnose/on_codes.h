#pragma once

#include "diagnose/judge.h"

namespace lockstep {

// A runtime may compute an operation in reals between quantizers where a device computes on codes,
// and what goes wrong on codes has no name in reals. These executors compute the same model with
// such groups on codes.
std::vector<Executor> on_codes(const Graph& model, const Arithmetic& reference);

// The search for one wrong row again, in those of the case's `carriers` in which operations on
// codes make the row's tensor. What it took is told where no cause is found, too.
Suspect search_on_codes(const Case& c, const Row& row, std::size_t index,
                        const SearchOptions& options);

// What the search on the other side found, codes or reals, beside the cause that is kept: a tie
// where both make the same of inputs that the device never saw, else a rival that may take its
// certainty.
void set_beside(const Case& c, const Row& row, Suspect& kept, const Suspect& left);

}  // namespace lockstep
