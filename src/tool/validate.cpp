#include <CLI/CLI.hpp>
#include <memory>

#include "tool/command.h"
#include "tool/validation.h"

namespace lockstep {

void add_validate(CLI::App& app, int& code) {
  auto* command = app.add_subcommand(
      "validate", "device against reference, tensor by tensor; says why on a mismatch");
  auto options = std::make_shared<ValidationOptions>();
  add_validation_options(*command, *options);
  command->callback([options, &code] { code = run_validation(*options, false); });
}

}  // namespace lockstep
