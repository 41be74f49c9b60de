#pragma once

#include <span>
#include <string>

#include "base/error.h"
#include "run/capture.h"

namespace lockstep {

// What a kept capture was made with; nothing else may go on from it.
struct KeptOf {
  std::string model;   // hash of the model's file; "": unknown
  std::string device;  // what the device says of itself and of its build
  std::string state;   // "keep" or "reset"
};
KeptOf kept_of(const std::string& model_file, const std::string& device, bool keeps_state);

// Writes what was captured before a link broke, with the inputs of its samples under the model's
// names. A file there that holds more samples stays, and NAME-2.npz is written, or -3: the name
// written is returned.
Result<std::string> keep_capture(const std::string& path, const Capture& capture,
                                 std::span<const Sample> inputs, const KeptOf& of);

// The error that ended a run over `inputs`. A fault of the link leaves what was captured before it
// in `path` and says so;
// "": nothing is kept.
Error with_kept(Error error, const std::string& path, const Capture& capture,
                std::span<const Sample> inputs, const KeptOf& of);

// The samples kept there, as many as were complete. Errors: they were made from other inputs,
// another model or another build, or are more than `inputs`. A file that does not say of what it is
// gets a note.
Result<Capture> kept_capture(const std::string& path, std::span<const Sample> inputs,
                             const KeptOf& of);

// A sample that was run again to bring a device's states to where they were, against what was kept
// of it.
Result<void> same_as_kept(const Sample& kept, const Sample& again, std::size_t sample,
                          const std::string& where);

}  // namespace lockstep
