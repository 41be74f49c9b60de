#pragma once

#include <string>
#include <string_view>

#include "run/recording.h"

namespace lockstep {

// The description that travels inside a captures .npz: number of samples, arithmetic, and of each
// tensor scale, zero, axis, node and layout. Unknown keys are ignored.
inline constexpr std::string_view capture_json_name = "lockstep.json";

// Lists in lists without end, which no recording holds and which would exhaust the stack of whoever
// walks them.
bool nests_too_deep(std::string_view json);

std::string capture_json(const Capture& capture, const Build& build);
// Adds what the description says to the arrays of the same name.
Result<void> describe_arrays(std::string_view json, const std::string& where, Recording& recording);

}  // namespace lockstep
