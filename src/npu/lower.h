#pragma once

#include <string>
#include <vector>

#include "ir/graph.h"
#include "npu/program.h"

namespace lockstep {

// An epoch program of a network that was lowered by the arithmetic `neural-art`: what the rules of
// docs/neural-art.md, "Constants", put into the units. Lockstep's own, not the compiler's: each
// operation is an epoch or a few, tensors lie channels last. Simulated, it yields that arithmetic's
// codes. Errors name the operation that has no such form, and what it lacks. With `left_out` such
// operations, and what follows from them, are left out and said there, one line each.
Result<NpuProgram> lower_to_npu(const Graph& lowered, const std::string& file,
                                std::vector<std::string>* left_out = nullptr);

}  // namespace lockstep
