#pragma once

#include <string>
#include <vector>

#include "diagnose/session.h"
#include "report/report.h"

namespace CLI {
class App;
}

namespace lockstep {

// What `validate` and `diagnose` share: their options, and the way from them to a report.
struct ValidationOptions {
  Request request;
  std::vector<std::string> targets;
  std::string json, program, state, decision;
  bool all_rows = false;
};

void add_validation_options(CLI::App& command, ValidationOptions& options);

// Judges every target, prints the reports, writes the JSON; the worst exit code.
int run_validation(const ValidationOptions& options, bool ranking);

}  // namespace lockstep
