#include <CLI/CLI.hpp>
#include <memory>

#include <fmt/core.h>

#include "base/files.h"
#include "base/text.h"
#include "diagnose/session.h"
#include "diff/inputs.h"
#include "report/sensitivity.h"
#include "tool/command.h"
#include "tool/output_place.h"
#include "tool/terminal.h"

namespace lockstep {
namespace {

struct Options {
  std::string model, reference, json;
  std::vector<std::string> inputs;
  std::map<std::string, std::int64_t> dimensions;
  std::int64_t runs = 2000;
  bool all_rows = false;
};

// Two files: sample by sample. One file: each sample with the next.
Result<std::vector<InputPair>> pairs_of(const Options& o, const Graph& model) {
  std::vector<std::string> notes;
  LOCKSTEP_TRY(std::vector<Sample> a, read_inputs(o.inputs[0], model, notes));
  std::vector<InputPair> pairs;
  if (o.inputs.size() == 1) {
    if (a.size() < 2)
      return Error{o.inputs[0], "one sample", "two inputs to compare",
                   "--input a.npz --input b.npz, or one file of several samples"};
    for (std::size_t i = 0; i + 1 < a.size(); ++i) pairs.emplace_back(a[i], a[i + 1]);
    return pairs;
  }
  LOCKSTEP_TRY(std::vector<Sample> b, read_inputs(o.inputs[1], model, notes));
  if (a.size() != b.size())
    return Error{o.inputs[1], fmt::format("{} samples", b.size()),
                 fmt::format("{} as {} holds", a.size(), o.inputs[0]), ""};
  for (std::size_t i = 0; i < a.size(); ++i) pairs.emplace_back(std::move(a[i]), std::move(b[i]));
  return pairs;
}

Result<int> follow(const Options& o) {
  if (!o.json.empty()) LOCKSTEP_CHECK(check_place(o.json));
  LOCKSTEP_TRY(const Graph model, import_for_inputs(o.model, o.inputs[0], o.dimensions));
  LOCKSTEP_TRY(const Arithmetic* arithmetic,
               arithmetic_for(o.reference, model.format(), "--reference"));
  LOCKSTEP_TRY(const Executor executor, Executor::make(model, *arithmetic));
  LOCKSTEP_TRY(const std::vector<InputPair> pairs, pairs_of(o, model));
  auto made = sensitivity(executor, pairs, o.runs, show_progress);
  end_progress();
  if (!made.ok()) return made.error();
  SensitivityReport report{
      .model = o.model,
      .reference = std::string(arithmetic->name),
      .runtime = std::string(arithmetic->runtime) +
                 (arithmetic->version.empty() ? "" : " " + std::string(arithmetic->version)),
      .inputs = o.inputs.size() == 1 ? o.inputs[0] + ", each sample with the next"
                                     : join(o.inputs, " against "),
      .result = std::move(*made)};
  if (!o.json.empty()) LOCKSTEP_CHECK(write_file(o.json, json_sensitivity(report)));
  fmt::print("{}", text_sensitivity(report, colour_wanted(), o.all_rows));
  return report.result.reaching == report.result.pairs ? 0 : 1;
}

}  // namespace

void add_sensitivity(CLI::App& app, int& code) {
  auto* command = app.add_subcommand(
      "sensitivity",
      "where the difference between two inputs dies, and what would reach the output");
  auto o = std::make_shared<Options>();
  command->add_option("MODEL,-m,--model", o->model, ".onnx or .tflite")->required();
  command
      ->add_option("--input", o->inputs,
                   "twice: the two inputs, sample by sample; once: each sample with the next")
      ->required()
      ->take_all()
      ->expected(1, 2);
  command->add_option("--reference,--arith", o->reference,
                      "arithmetic; default ort for ONNX, tflite-ref for TFLite");
  command
      ->add_option("--runs", o->runs,
                   "at most so many inferences in the search for the smallest change")
      ->check(CLI::Range(8, 1000000));
  add_dimensions(*command, o->dimensions);
  command->add_option("--json", o->json, "write the whole result to this file");
  command->add_flag("--all", o->all_rows, "print every row of a long table");
  command->footer("Exit code 1 when the output stays the same in a pair whose inputs differ.");
  command->callback([o, &code] {
    const auto done = follow(*o);
    code = done.ok() ? *done : fail(done.error());
  });
}

}  // namespace lockstep
