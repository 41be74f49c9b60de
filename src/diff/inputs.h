#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/error.h"
#include "ir/graph.h"
#include "run/capture.h"

namespace lockstep {

// The network inputs that a capture holds, in the model's shapes and types: axes of 1 dropped,
// transposed axes turned back, codes made reals by the recorded scale or that of the quantizer that
// follows the input. `notes` says what was done. Errors: an input is missing in a sample, does not
// fit, cannot be turned into the model's type without a guess, or holds NaN.
Result<std::vector<Sample>> inputs_from(const Graph& model, const Capture& capture,
                                        std::vector<std::string>& notes);

// The same from a file or folder in any form of docs/captures.md: what `--input` names.
Result<std::vector<Sample>> read_inputs(const std::string& path, const Graph& model,
                                        std::vector<std::string>& notes);

// Imports a model for the arrays in `input` (may be empty): extents that the model leaves open
// without a name (-1, or nothing) are those of the .npz member of the input's name, as onnxruntime
// takes them. Named ones ("batch") stay 1, and a batch is split into samples. `dimensions` go
// before both: by name, or "input[axis]".
Result<Graph> import_for_inputs(const std::string& model, const std::string& input,
                                const std::map<std::string, std::int64_t>& dimensions = {});

}  // namespace lockstep
