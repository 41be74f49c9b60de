#pragma once

#include <string>

#include "npu/program.h"

namespace lockstep {

// The compiler's generated C, in which units are configured by explicit structures. Weights are
// looked for beside it. Errors: truncated text, an address or a table that cannot be resolved.
Result<NpuProgram> read_network_c(const std::string& path);
Result<NpuProgram> parse_network_c(std::string_view text, const std::string& file);
// The same form written from a program: for round trips.
std::string format_network_c(const NpuProgram& program);

}  // namespace lockstep
