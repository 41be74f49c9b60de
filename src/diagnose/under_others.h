#pragma once

#include <optional>

#include "diagnose/judge.h"

namespace lockstep {

// The row in another graph of the same model, when it is made there from known tensors.
std::optional<Row> row_in(const LocalTest& test, const Row& row);

// The search for one wrong row again, as if the device computed in one of the case's other named
// arithmetics: those that rows of the comparison are like come first. Only where `here`, the search
// in the reference's, left something or took several faults. Where no single cause leaves nothing
// there the suspect has none, and says only what the search took. What is found names its
// arithmetic, and is certain only where other rows speak for that arithmetic.
Suspect search_under_others(const Case& c, const Comparison& comparison, const Row& row,
                            std::size_t index, const SearchOptions& options, const Suspect& here);

}  // namespace lockstep
