#include "tool/validation.h"

#include <CLI/CLI.hpp>
#include <algorithm>

#include <fmt/core.h>

#include "base/files.h"
#include "base/text.h"
#include "diff/inputs.h"
#include "report/three_way.h"
#include "tool/command.h"
#include "tool/npu_explain.h"
#include "tool/npu_standing.h"
#include "tool/npu_units.h"
#include "tool/output_place.h"
#include "tool/running.h"
#include "tool/terminal.h"

namespace lockstep {
namespace {

Report report_of(const Request& request, Answer& answer) {
  const Arithmetic& a = answer.reference->arithmetic();
  return {
      .model = request.model,
      .format = answer.reference->graph().format(),
      .input = answer.input,
      .reference = std::string(a.name),
      .runtime = std::string(a.runtime) + (a.version.empty() ? "" : " " + std::string(a.version)),
      .target = request.target,
      .device = answer.device.device,
      .tolerance = request.tolerance,
      .notes = answer.notes,
      .verdict = std::move(answer.verdict),
      .graph = &answer.reference->graph()};
}

// One report as an object; several as an array of such.
std::string joined(const std::vector<std::string>& reports) {
  if (reports.size() == 1) return reports[0];
  return "[" + join(reports, ",") + "]\n";
}

}  // namespace

void add_validation_options(CLI::App& command, ValidationOptions& o) {
  command.add_option("MODEL,-m,--model", o.request.model, ".onnx or .tflite")->required();
  command
      .add_option("--target", o.targets,
                  "the device: serial:PORT:BAUD, tcp:HOST:PORT, sim:FAULT, captures.npz, an "
                  "arithmetic, another model")
      ->required()
      ->take_all();
  command.add_option("--reference", o.request.reference,
                     "arithmetic of the reference; default ort for ONNX, tflite-ref for TFLite");
  auto* input = command.add_option("--input,--valinput", o.request.input,
                                   "inputs: .npz, folder of .npy, .csv; default: seeded random");
  command.add_option("--tolerance", o.request.tolerance,
                     "exact, lsb:N, envelope, or cosine:N of each output, all samples joined; "
                     "default: 1 LSB per operation and no structure");
  command.add_option("--samples", o.request.generated_samples, "how many random inputs")
      ->check(CLI::Range(1, 10000))
      ->excludes(input);
  command.add_option("--seed", o.request.seed, "of the random inputs")->excludes(input);
  command
      .add_option("--state", o.state,
                  "keep or reset states between samples; default: reset, of a recording "
                  "whichever it agrees with")
      ->check(CLI::IsMember({"keep", "reset"}));
  command
      .add_option("--repeat", o.request.repeat,
                  "times each sample runs on a device; runs that disagree are a link fault; "
                  "default 2 on a serial line, else 1")
      ->check(CLI::Range(1, 100));
  command.add_option(
      "--resume", o.request.resume,
      "captures that an interrupted validation kept: their samples are not run again");
  add_dimensions(command, o.request.dimensions);
  command.add_option(
      "--decision", o.decision,
      "what the output decides: top1, or I>T, I-J>T of its elements; counts what flips");
  command.add_option(
      "--pc", o.request.pc,
      "what your own run on the PC yielded, in any form of captures: says which side is wrong");
  command.add_flag("--envelope", o.request.envelope,
                   "how far all arithmetics lie apart on these inputs, for a mismatch too");
  command.add_option("--program", o.program,
                     "the device's compiled Neural-ART program: differences that it explains are "
                     "told apart, and what its units compute is a scope of a cause");
  command.add_option("--json", o.json, "write the whole result to this file");
  command.add_flag("--all", o.all_rows, "print every row of a long table");
}

namespace {

struct Done {
  std::string target;
  Answer answer;
};

// The decision's lines of one target; an error is printed and changes the exit code.
int tell_decision(const ValidationOptions& o, const Decision& decision, const Done& done,
                  std::vector<std::string>& reports) {
  const auto model = import_for_inputs(o.request.model, o.request.input, o.request.dimensions);
  if (!model.ok()) return fail(model.error());
  const auto made = decide(decision, done.answer, *model, done.target);
  if (!made.ok()) return fail(made.error());
  fmt::print("{}", text_decision(*made, o.decision, colour_wanted()));
  reports.push_back(json_decision(*made, o.decision, done.target));
  return 0;
}

int tell_three_way(const ValidationOptions& o, const Done& a, const Done& b,
                   std::vector<std::string>& reports) {
  const auto made = three_way(o.request, a.answer, a.target, b.answer, b.target);
  if (!made.ok()) return fail(made.error());
  fmt::print("\n{}",
             text_three_way(*made, a.answer, a.target, b.target, colour_wanted(), o.all_rows));
  reports.push_back(json_three_way(*made, a.target, b.target));
  return 0;
}

// Options that only a link to a board can follow, and no target of the request has.
Result<void> check_links(const ValidationOptions& o) {
  static constexpr std::string_view links[] = {"serial:", "tcp:", "gdb:"};
  const bool linked = std::ranges::any_of(o.targets, [](const std::string& t) {
    return std::ranges::any_of(links, [&](std::string_view link) { return t.starts_with(link); });
  });
  if (linked) return {};
  const auto error = [](const char* option) {
    return Error{option, "no target is a board on a link",
                 "serial:, tcp: or gdb:", "other targets run once, whole"};
  };
  if (!o.request.resume.empty()) return error("--resume");
  if (o.request.repeat > 0) return error("--repeat");
  return {};
}

}  // namespace

int run_validation(const ValidationOptions& options, bool ranking) {
  if (const auto fits = check_links(options); !fits.ok()) return fail(fits.error());
  if (!options.json.empty())
    if (const auto place = check_place(options.json); !place.ok()) return fail(place.error());
  Decision decision;
  if (!options.decision.empty()) {
    const auto parsed = parse_decision(options.decision);
    if (!parsed.ok()) return fail(parsed.error());
    decision = *parsed;
  }
  std::vector<UnitWork> units;
  if (!options.program.empty()) {
    auto read = units_of_program(options.program, options.request.model, options.request.input);
    if (!read.ok()) return fail(read.error());
    units = std::move(*read);
  }
  int worst = 0;
  std::vector<std::string> reports;
  std::vector<Done> done;
  for (const std::string& target : options.targets) {
    Request request = options.request;
    request.target = target;
    request.state = state_asked(options.state);
    request.envelope = request.envelope || !options.decision.empty();
    request.progress = show_progress;
    request.units = units;
    auto answered = answer(request);
    end_progress();
    if (!answered.ok()) {
      worst = std::max(worst, fail(answered.error()));
      continue;
    }
    Report report = report_of(request, *answered);
    mark_standing(report);
    if (&target != &options.targets.front()) fmt::print("\n");
    fmt::print("{}", text_report(report, {colour_wanted(), options.all_rows, ranking}));
    if (!options.program.empty())
      if (const auto split =
              explain_with_program({options.program, request.model, target, request.input});
          !split.ok())
        worst = std::max(worst, fail(split.error()));
    reports.push_back(json_report(report));
    const bool pc_wrong =
        !options.request.pc.empty() && report.verdict.pc && !report.verdict.pc->right;
    worst = std::max(worst, report.verdict.healthy && !pc_wrong ? 0 : 1);
    answered->verdict = std::move(report.verdict);
    done.push_back({target, std::move(*answered)});
    if (!options.decision.empty())
      worst = std::max(worst, tell_decision(options, decision, done.back(), reports));
  }
  for (std::size_t b = 1; b < done.size(); ++b)
    worst = std::max(worst, tell_three_way(options, done[0], done[b], reports));
  if (!options.json.empty() && !reports.empty())
    if (const auto written = write_file(options.json, joined(reports)); !written.ok())
      worst = std::max(worst, fail(written.error()));
  return worst;
}

}  // namespace lockstep
