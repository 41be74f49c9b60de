#include <CLI/CLI.hpp>
#include <memory>

#include "tool/command.h"
#include "tool/running.h"

namespace lockstep {
namespace {

Result<void> run(const RunningOptions& options) {
  LOCKSTEP_TRY(const Executor executor, open_model(options));
  LOCKSTEP_TRY(const Fed fed, feed(options, executor.graph()));
  LOCKSTEP_TRY(const std::vector<std::string> names, names_to_record(options, executor.graph()));
  RunOptions how;
  how.state = options.state == "keep" ? StateMode::keep : StateMode::reset;
  LOCKSTEP_TRY(const Capture capture, executor.run(fed.samples, names, how));
  return write_and_tell(options, fed, capture);
}

}  // namespace

void add_run(CLI::App& app, int& code) {
  auto* command =
      app.add_subcommand("run", "runs a model here in a chosen arithmetic; writes any tensor");
  auto options = std::make_shared<RunningOptions>();
  add_running_options(*command, *options);
  command->add_option("--tensor", options->tensors, "tensors to write; default: the outputs")
      ->take_all();
  command->add_flag("--all", options->all, "write every tensor");
  command->callback([options, &code] {
    const auto done = run(*options);
    code = done.ok() ? 0 : fail(done.error());
  });
}

}  // namespace lockstep
