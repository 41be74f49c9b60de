#pragma once

#include <string>

#include "diagnose/reduce.h"

namespace lockstep {

// The page beside a reduced model, and what the command prints. `confirmed` is the verdict on the
// reduced files alone.
std::string page_of_reduction(const Request& request, const Answer& answer, const ReducedCase& r,
                              const Answer& confirmed);
std::string text_of_reduction(const Request& request, const Answer& answer, const ReducedCase& r,
                              const Answer& confirmed, const std::string& folder);

}  // namespace lockstep
