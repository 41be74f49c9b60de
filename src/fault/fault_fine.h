#pragma once

#include <vector>

#include "fault/fault.h"

namespace lockstep {

// What the reference makes of a node's inputs in output steps above the zero point, before it is
// rounded to codes, to 1/128 of a step; empty where the node cannot be computed so (no codes,
// inputs not known).
std::vector<double> fine_results(const Site& site, const Evidence::Item& item);

}  // namespace lockstep
