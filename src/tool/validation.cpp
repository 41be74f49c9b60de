#include "tool/validation.h"

#include <CLI/CLI.hpp>
#include <algorithm>

#include <fmt/core.h>

#include "base/files.h"
#include "base/text.h"
#include "tool/command.h"
#include "tool/terminal.h"

namespace lockstep {
namespace {

Report report_of(const Request& request, Answer& answer) {
  const Arithmetic& a = answer.reference->arithmetic();
  return {.model = request.model, .format = answer.reference->graph().format(), .input = answer.input,
          .reference = std::string(a.name),
          .runtime = std::string(a.runtime) + (a.version.empty() ? "" : " " + std::string(a.version)),
          .target = request.target, .device = answer.device.device, .tolerance = request.tolerance,
          .notes = answer.notes, .verdict = std::move(answer.verdict), .graph = &answer.reference->graph()};
}

// One report as an object; several as an array of such.
std::string joined(const std::vector<std::string>& reports) {
  if (reports.size() == 1) return reports[0];
  return "[" + join(reports, ",") + "]\n";
}

}  // namespace

void add_validation_options(CLI::App& command, ValidationOptions& o) {
  command.add_option("MODEL,-m,--model", o.request.model, ".onnx or .tflite")->required();
  command.add_option("--target", o.targets, "the device: serial:PORT:BAUD, tcp:HOST:PORT, sim:FAULT, captures.npz, an arithmetic, another model")
      ->required()->take_all();
  command.add_option("--reference", o.request.reference, "arithmetic of the reference; default ort for ONNX, tflite-ref for TFLite");
  command.add_option("--input,--valinput", o.request.input, "inputs: .npz, folder of .npy, .csv; default: seeded random");
  command.add_option("--tolerance", o.request.tolerance, "exact, lsb:N or envelope; default: 1 LSB per operation and no structure");
  command.add_option("--samples", o.request.generated_samples, "how many random inputs")->check(CLI::Range(1, 10000));
  command.add_option("--seed", o.request.seed, "of the random inputs");
  command.add_option("--state", o.state, "keep or reset states between samples")->check(CLI::IsMember({"keep", "reset"}));
  command.add_option("--repeat", o.request.repeat, "times each sample runs on a device; runs that disagree are a link fault; default 2 on a serial line, else 1")
      ->check(CLI::Range(1, 100));
  command.add_option("--resume", o.request.resume, "captures that an interrupted validation kept: their samples are not run again");
  command.add_option("--json", o.json, "write the whole result to this file");
  command.add_flag("--all", o.all_rows, "print every row of a long table");
}

int run_validation(const ValidationOptions& options, bool ranking) {
  int worst = 0;
  std::vector<std::string> reports;
  for (const std::string& target : options.targets) {
    Request request = options.request;
    request.target = target;
    request.state = options.state == "keep" ? StateMode::keep : StateMode::reset;
    request.progress = show_progress;
    auto answered = answer(request);
    end_progress();
    if (!answered.ok()) {
      worst = std::max(worst, fail(answered.error()));
      continue;
    }
    const Report report = report_of(request, *answered);
    if (&target != &options.targets.front()) fmt::print("\n");
    fmt::print("{}", text_report(report, {colour_wanted(), options.all_rows, ranking}));
    reports.push_back(json_report(report));
    worst = std::max(worst, report.verdict.healthy ? 0 : 1);
  }
  if (!options.json.empty() && !reports.empty())
    if (const auto written = write_file(options.json, joined(reports)); !written.ok())
      worst = std::max(worst, fail(written.error()));
  return worst;
}

}  // namespace lockstep
