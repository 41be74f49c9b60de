#pragma once

#include <string>

#include "diagnose/sensitivity.h"

namespace lockstep {

// A sensitivity with what it is about.
struct SensitivityReport {
  std::string model, reference, runtime, inputs;
  Sensitivity result;
};

std::string text_sensitivity(const SensitivityReport& report, bool colour, bool all_rows);
// "lockstep.sensitivity", version 1 (docs/report.md).
std::string json_sensitivity(const SensitivityReport& report);

}  // namespace lockstep
