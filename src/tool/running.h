#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "run/executor.h"

namespace CLI {
class App;
}

namespace lockstep {

// What `run` and `inject` share: a model run here, tensors written to a file.
struct RunningOptions {
  std::string model, input, arithmetic, output, state = "reset";
  std::vector<std::string> tensors;
  std::map<std::string, std::int64_t> dimensions;
  bool all = false;
  int samples = 4;
  std::uint64_t seed = 42;
};

// What --state says; nothing where it was not given.
std::optional<StateMode> state_asked(const std::string& text);

void add_running_options(CLI::App& command, RunningOptions& options);

// What can be refused before any work: where the result goes.
Result<void> check_running(const RunningOptions& options);
// The model lowered for the arithmetic asked for.
Result<Executor> open_model(const RunningOptions& options);
// The samples, and where they are from: the file, or "seeded random inputs ...".
struct Fed {
  std::vector<Sample> samples;
  std::string from;
};
Result<Fed> feed(const RunningOptions& options, const Graph& graph);
// Names to record: --tensor, --all, else the network's outputs. Unknown ones get the nearest name.
Result<std::vector<std::string>> names_to_record(const RunningOptions& options, const Graph& graph);
// Writes the capture and prints what was written.
Result<void> write_and_tell(const RunningOptions& options, const Fed& fed, const Capture& capture);

}  // namespace lockstep
