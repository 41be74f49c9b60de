#pragma once

#include <optional>
#include <string>
#include <vector>

#include "diff/diff.h"

namespace lockstep {

struct Case;

// How far one tensor may legitimately lie from the reference, end to end, on the inputs at hand.
struct EnvelopeRow {
  std::string tensor, node, op;
  // Greatest over the named arithmetics, and which; in steps, or in the tensor's own units without
  // a scale.
  double most = 0, share = 0;
  std::string widest;
  double simulated = 0;  // the same for operations that round in no named way: see simulated_share
  bool has_lsb = false;
  // What one step, up or down, at a twentieth of what the operation reads becomes in its result at
  // most. 0: not measured.
  double gain = 0;
  std::optional<double> device;  // its own distance; nothing where it was not captured
  bool inside = true;
};

// The spread of one model on given inputs over all arithmetics that compute it.
struct Envelope {
  std::vector<std::string> arithmetics;
  std::size_t samples = 0;  // compared, of those captured
  std::vector<EnvelopeRow> rows;
  // The first captured tensor at which the device is outside; nothing where it is inside
  // everywhere.
  std::optional<std::size_t> leaves;
};
inline constexpr double outside_by =
    1.25;  // times the envelope's greatest distance, and never below one step

// Runs the model in every other arithmetic on the samples that the budget allows.
Result<Envelope> envelope_of(const Case& c);

}  // namespace lockstep
