#pragma once

#include <string>
#include <string_view>

#include "run/recording.h"

namespace lockstep {

// What a debugger writes: bytes of one tensor, without a word about them. Type and number of
// samples follow from the model's tensor of that name.

// Whether a file's ending says so (".bin", ".dat"; ".raw" where no description is beside it).
bool is_bytes_ending(std::string_view ending);
// Bytes as a flat uint8 array that waits for its type.
RecordedArray recorded_bytes(const std::string& name, const Bytes& bytes);
bool waits_for_type(const RecordedArray& array);

// The array in the type that its size says: as many elements of the model's tensor as fit `samples`
// (0: open), first in the tensor's own type, then, for a float at the network's rim, as codes of
// one byte or two. Error: no type fits.
Result<Tensor> typed_bytes(const RecordedArray& array, const Graph& model, ValueId value,
                           std::int64_t samples, const std::string& where);

}  // namespace lockstep
