#pragma once

#include <string>
#include <vector>

#include "diagnose/session.h"

namespace lockstep {

// What the network's output decides. top1: the greatest element. above: element `first` (minus
// element `second` where there is one) exceeds `threshold`.
struct Decision {
  enum class Kind : std::uint8_t { top1, above } kind = Kind::top1;
  int first = 0, second = -1;
  double threshold = 0;
};
// "top1", "1>0.5", "1-0>0": elements of the first output, in its real units.
Result<Decision> parse_decision(const std::string& text);

// One sample that is decided otherwise. The margin is the reference's distance from the other
// decision.
struct Flip {
  std::size_t sample = 0;
  double margin = 0, margin_lsb = 0;
  std::string from, to;
};

// The decisions of one device (or arithmetic) against the reference's.
struct DecisionDrift {
  std::string name;
  std::int64_t samples = 0;
  std::vector<Flip> flips;
  double mean_shift = 0;                  // of the margin: below zero, the device is less sure
  double worst_shift = 0;                 // the most that a margin shrank
  std::int64_t weaker = 0, stronger = 0;  // samples whose margin shrank, grew
};

struct DecisionReport {
  std::string output;
  double step = 0;          // one LSB of the output, 0 without a scale
  double least_margin = 0;  // of the reference over all samples
  std::int64_t inside = 0;  // samples whose margin is no greater than the device's worst shift
  DecisionDrift device;
  std::vector<DecisionDrift>
      arithmetics;       // the same for each other named arithmetic: legitimate drift
  bool outside = false;  // the device's mean shift lies beyond every arithmetic's by more than a
                         // tenth of a step
};

// An error when the output has no such elements or was not captured.
Result<DecisionReport> decide(const Decision& decision, const Answer& answer, const Graph& model,
                              const std::string& name);

}  // namespace lockstep
