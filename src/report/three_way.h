#pragma once

#include <string>

#include "diagnose/decision.h"
#include "diagnose/three_way.h"

namespace lockstep {

// Targets as the user named them; `all_rows` as in TextStyle; `answer` is A's: what stands on one
// line.
std::string text_three_way(const ThreeWay& t, const Answer& answer, const std::string& a,
                           const std::string& b, bool colour, bool all_rows);
std::string text_decision(const DecisionReport& d, const std::string& asked, bool colour);

// "lockstep.three_way" and "lockstep.decision", version 1 (docs/report.md).
std::string json_three_way(const ThreeWay& t, const std::string& a, const std::string& b);
std::string json_decision(const DecisionReport& d, const std::string& asked,
                          const std::string& target);

}  // namespace lockstep
