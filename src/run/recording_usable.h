#pragma once

#include "run/recording.h"

namespace lockstep {

// Bytes without a description, in the types of the tensors whose names they bear; a single one of
// another name is the network's only output. `expected`: samples, 0 when open. What fits no tensor
// is left out with a note, and so is a constant in another form. Error: not more of them fit than
// do not, or a network input or output does not.
Result<Recording> with_types(Recording recording, const Graph& model, std::int64_t expected);

// What of a recording can be compared with `model`: constants that a tool dumped along are left out
// (one that holds other numbers than the model's is said to), and so is a tensor of another size
// than the model's, each with a note. Error: not more arrays fit than do not, so the recording is
// of another model; or a network input or output, or the codes beside one, is of another size.
Result<Recording> usable_part(Recording recording, const Graph& model);

}  // namespace lockstep
