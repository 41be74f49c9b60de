#pragma once

#include <span>
#include <string>

#include "base/error.h"
#include "run/capture.h"

namespace lockstep {

// Writes what was captured before a link broke, with the inputs of its samples under the model's names.
Result<void> keep_capture(const std::string& path, const Capture& capture, std::span<const Sample> inputs);

// The samples kept there, as many as were complete. Errors: they were made from other inputs, or are
// more than `inputs`.
Result<Capture> kept_capture(const std::string& path, std::span<const Sample> inputs);

}  // namespace lockstep
