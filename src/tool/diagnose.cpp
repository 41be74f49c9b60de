#include <CLI/CLI.hpp>
#include <memory>

#include "tool/command.h"
#include "tool/validation.h"

namespace lockstep {

void add_diagnose(CLI::App& app, int& code) {
  auto* command = app.add_subcommand(
      "diagnose", "first wrong operation, every explanation ranked, proof by replay, what to do");
  auto options = std::make_shared<ValidationOptions>();
  add_validation_options(*command, *options);
  command->callback([options, &code] { code = run_validation(*options, true); });
}

}  // namespace lockstep
