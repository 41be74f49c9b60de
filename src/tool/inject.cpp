#include <CLI/CLI.hpp>
#include <memory>

#include "diagnose/session.h"
#include "diff/inputs.h"
#include "target/target.h"
#include "tool/command.h"
#include "tool/running.h"

namespace lockstep {
namespace {

Result<void> inject_into(const RunningOptions& options, const std::string& fault) {
  LOCKSTEP_CHECK(check_running(options));
  LOCKSTEP_TRY(const Graph model,
               import_for_inputs(options.model, options.input, options.dimensions));
  LOCKSTEP_TRY(const Arithmetic* arithmetic,
               arithmetic_for(options.arithmetic, model.format(), "--arith"));
  LOCKSTEP_TRY(const Executor executor, Executor::make(model, *arithmetic));
  const StateMode state = options.state == "keep" ? StateMode::keep : StateMode::reset;
  LOCKSTEP_TRY(auto device, open_target("sim:" + fault, {model, *arithmetic, state}));
  LOCKSTEP_TRY(const Fed fed, feed(options, model));
  std::vector<std::string> names;  // none: all
  if (!options.tensors.empty()) {
    LOCKSTEP_TRY(names, names_to_record(options, executor.graph()));
  }
  LOCKSTEP_TRY(const Capture capture, device->run(fed.samples, names));
  return write_and_tell(options, fed, capture);
}

}  // namespace

void add_inject(CLI::App& app, int& code) {
  auto* command =
      app.add_subcommand("inject", "makes captures of a faulty device from the reference");
  auto options = std::make_shared<RunningOptions>();
  auto fault = std::make_shared<std::string>();
  add_running_options(*command, *options);
  command
      ->add_option("--fault", *fault,
                   "FAULT[@NODE][,key=value...][+FAULT...]; `lockstep faults` lists them")
      ->required();
  command->add_option("--tensor", options->tensors, "tensors to record; default: all")->take_all();
  command->callback([options, fault, &code] {
    const auto done = inject_into(*options, *fault);
    code = done.ok() ? 0 : fail(done.error());
  });
}

}  // namespace lockstep
