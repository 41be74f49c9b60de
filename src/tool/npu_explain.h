#pragma once

#include <string>

#include "base/error.h"

namespace lockstep {

// A device's tensors against the reference's, each difference split by what the device's compiled
// program makes of the device's own inputs: printed as a table.
struct ProgramQuestion {
  std::string program, model, target, input;
};
Result<void> explain_with_program(const ProgramQuestion& question);

}  // namespace lockstep
