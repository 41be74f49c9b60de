#pragma once

#include <string>
#include <vector>

#include "diagnose/judge.h"

namespace lockstep {

// Which computing units of a compiled Neural-ART program make which tensors of the model: each
// unit, and all units of a kind. Stream engines only move, and are left out.
Result<std::vector<UnitWork>> units_of_program(const std::string& program, const std::string& model,
                                               const std::string& input);

}  // namespace lockstep
