#pragma once

#include <string>
#include <vector>

#include "base/error.h"
#include "base/scratch_folder.h"

namespace lockstep {

// A program of this machine, run to its end.
struct ProcessRequest {
  std::vector<std::string> arguments;  // the program first
  std::string folder;                  // where it runs; "": here
  std::string input, output;           // files for standard input and output; "": none
  double seconds = 120;                // then it is ended
};
// A large network under sanitizers, on a busy machine.
constexpr double compile_seconds = 900;
struct ProcessResult {
  int code = 0;
  std::string errors;  // the end of standard error
};

// Errors (Blame::target): the program is not installed, a signal ended it, it took too long.
Result<ProcessResult> run_process(const ProcessRequest& request);

}  // namespace lockstep
