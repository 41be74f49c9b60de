#pragma once

#include <string>
#include <vector>

#include "base/error.h"
#include "ir/graph.h"
#include "run/capture.h"

namespace lockstep {

// One tensor of the device and the reference's tensor that it is.
struct Pair {
  std::string reference, device;
  std::string how;   // "name", "origin", "scale, shape and order", "shape and order", "its size at
                     // the network's rim"
  std::string note;  // what had to be done to compare them ("axes transposed"), "" when nothing
  bool other_sign = false;  // bytes recorded as uint8 where the reference has int8 or the other way
                            // round, zero point unknown
};

// A device's capture in the reference's terms.
struct Pairing {
  std::vector<Pair> pairs;                               // in the order of the reference graph
  std::vector<std::string> left_reference, left_device;  // unpaired names
  std::vector<std::string> notes;
  // Per device sample: its tensors under the reference's names, in the reference's shape and, where
  // that loses nothing, in its type.
  std::vector<Sample> samples;
};

// Pairs by name, then by origin (the names of the user's file, punctuation and quantizer's suffixes
// aside), then, for tensors whose names are gone, by scale, shape and order. A float model input or
// output that the device yields as codes is paired with the codes before or after it. What stays
// ambiguous is left unpaired and said. Errors: a tensor of a paired name with another number of
// elements; nothing pairs at all.
Result<Pairing> pair_tensors(const Graph& reference, const Capture& device);

// What a reader must know of how tensors were paired and changed: one sentence for all that were
// treated alike. Empty when every pair has one name and nothing was done.
std::vector<std::string> pairing_notes(const Pairing& pairing);

// Notes of one kind about several tensors (each named in quotes) as the first of them and how many
// more there are.
std::vector<std::string> folded_notes(const std::vector<std::string>& notes);

}  // namespace lockstep
