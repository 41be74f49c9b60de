#include "tool/running.h"

#include <CLI/CLI.hpp>
#include <algorithm>

#include <fmt/core.h>

#include "base/text.h"
#include "diagnose/session.h"
#include "diff/inputs.h"
#include "run/generated.h"
#include "run/recording.h"
#include "tool/command.h"
#include "tool/output_place.h"

namespace lockstep {

std::optional<StateMode> state_asked(const std::string& text) {
  if (text.empty()) return std::nullopt;
  return text == "keep" ? StateMode::keep : StateMode::reset;
}

void add_running_options(CLI::App& command, RunningOptions& o) {
  command.add_option("MODEL,-m,--model", o.model, ".onnx or .tflite")->required();
  auto* input = command.add_option("--input", o.input,
                                   "inputs: .npz, folder of .npy, .csv; default: seeded random");
  command.add_option("--arith", o.arithmetic,
                     "one of docs/arithmetics.md; default by the model's format");
  command.add_option("--state", o.state, "keep or reset states between samples; default: reset")
      ->check(CLI::IsMember({"keep", "reset"}));
  command.add_option("--samples", o.samples, "how many random inputs")
      ->check(CLI::Range(1, 10000))
      ->excludes(input);
  command.add_option("--seed", o.seed, "of the random inputs")->excludes(input);
  add_dimensions(command, o.dimensions);
  command.add_option("-o,--output", o.output, "the archive to write, NAME.npz")->required();
}

Result<void> check_running(const RunningOptions& options) {
  return check_archive_place(options.output);
}

Result<Executor> open_model(const RunningOptions& options) {
  LOCKSTEP_CHECK(check_running(options));
  LOCKSTEP_TRY(const Graph model,
               import_for_inputs(options.model, options.input, options.dimensions));
  LOCKSTEP_TRY(const Arithmetic* arithmetic,
               arithmetic_for(options.arithmetic, model.format(), "--arith"));
  return Executor::make(model, *arithmetic);
}

Result<Fed> feed(const RunningOptions& options, const Graph& graph) {
  if (options.input.empty())
    return Fed{generated_inputs(graph, options.samples, options.seed),
               fmt::format("seeded random inputs (seed {})", options.seed)};
  std::vector<std::string> notes;
  LOCKSTEP_TRY(std::vector<Sample> samples, read_inputs(options.input, graph, notes));
  std::string from = options.input;
  for (const std::string& note : notes) from += "; " + note;
  return Fed{std::move(samples), from};
}

namespace {

// What the node of that name, here or in the file, makes.
std::vector<std::string> made_by(const Graph& graph, const std::string& name) {
  std::vector<std::string> made;
  for (const Node& n : graph.nodes())
    if (n.name == name || n.origin.name == name)
      for (const ValueId id : n.outputs)
        if (id != no_id) made.push_back(graph.value(id).name);
  return made;
}

Error no_tensor(const RunningOptions& options, const Graph& graph, std::vector<std::string> known,
                const std::string& name) {
  for (const Node& n : graph.nodes()) known.push_back(n.name);
  const std::string near = nearest(name, known);
  return {options.model, "no tensor or node '" + name + "' in this arithmetic's graph",
          "one that it computes; ort-noopt and tflite-ref keep every tensor of the file",
          near.empty() ? "" : "did you mean '" + near + "'?"};
}

}  // namespace

Result<std::vector<std::string>> names_to_record(const RunningOptions& options,
                                                 const Graph& graph) {
  std::vector<std::string> known;
  for (const Value& v : graph.values())
    if (!v.constant || v.folded) known.push_back(v.name);
  if (options.all) return known;
  std::vector<std::string> wanted;
  for (const std::string& name : options.tensors) {
    if (std::ranges::find(known, name) != known.end()) {
      wanted.push_back(name);
      continue;
    }
    const auto made = made_by(graph, name);
    if (made.empty()) return no_tensor(options, graph, known, name);
    wanted.insert(wanted.end(), made.begin(), made.end());
  }
  if (!wanted.empty()) return wanted;
  std::vector<std::string> outputs;
  for (const ValueId id : graph.outputs()) outputs.push_back(graph.value(id).name);
  return outputs;
}

Result<void> write_and_tell(const RunningOptions& options, const Fed& fed, const Capture& capture) {
  Build build;
  if (const auto bytes = read_file(options.model); bytes.ok()) build.model = model_hash(*bytes);
  LOCKSTEP_CHECK(write_capture(options.output, capture, build));
  fmt::print("input     {}\n", fed.from);
  const auto counted = [](std::size_t n, const char* what) {
    return fmt::format("{} {}{}", n, what, n == 1 ? "" : "s");
  };
  fmt::print("wrote     {}: {}, {}, in {}\n", options.output,
             counted(capture.infos.size(), "tensor"), counted(capture.samples.size(), "sample"),
             capture.arithmetic);
  return {};
}

}  // namespace lockstep
