#pragma once

#include <string>
#include <vector>

#include "diagnose/session.h"
#include "measure/metrics.h"

namespace lockstep {

// What a target stands for when two of them are compared: the same network in another library, what
// a compiler made of it (run here), or a device.
enum class Role : std::uint8_t { library, compiler, device };
Role role_of(const std::string& target);

// One tensor that both targets yield: each against the reference, and against each other.
struct ThreeWayRow {
  std::string tensor, name, op;
  Metrics a, b, between;
  Judgement state_a = Judgement::unknown, state_b = Judgement::unknown;
};

// Reference, target A and target B side by side, and which of them stands alone.
struct ThreeWay {
  std::vector<ThreeWayRow> rows;
  std::string verdict;  // "the accelerator differs", "the compiler differs", ...
  std::string why;      // one sentence with its figures
  int first = -1;       // in rows: where the verdict is taken from
  bool agree = false;   // both are healthy
};

// Both answers are about the same model, reference and samples; an error says when not.
Result<ThreeWay> three_way(const Request& request, const Answer& a, const std::string& target_a,
                           const Answer& b, const std::string& target_b);

}  // namespace lockstep
