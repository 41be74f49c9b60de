#include <CLI/CLI.hpp>
#include <algorithm>
#include <ctime>
#include <filesystem>
#include <memory>

#include <fmt/core.h>

#include "base/files.h"
#include "base/npy.h"
#include "diff/inputs.h"
#include "npu/attribute.h"
#include "npu/fit.h"
#include "npu/inner.h"
#include "npu/npu_model.h"
#include "npu/record.h"
#include "npu/seeded.h"
#include "npu/side_files.h"
#include "run/executor.h"
#include "target/target.h"
#include "tool/command.h"
#include "tool/npu_epochs.h"
#include "tool/npu_explain.h"
#include "tool/npu_files.h"
#include "tool/npu_tables.h"

namespace lockstep {
namespace {

struct NpuOptions {
  std::string program, model, input, mode = "forced", ties, output, captures, target, versus = "up";
  int seeds = 3, first = 1;
};

Result<NpuRules> rules_from(const NpuOptions& o) {
  NpuRules rules;
  if (o.ties.empty()) return rules;
  const auto tie = npu_tie_named(o.ties);
  if (!tie) return Error{"--ties", o.ties, "away, up, even, odd, zero or down", {}};
  rules.conv = rules.arith = rules.pool = rules.activ = *tie;
  return rules;
}

// What programs are held against: TFLite's reference kernels, or onnxruntime with its graph as it
// stands.
const Arithmetic& reference_arithmetic(const Graph& model) {
  return *find_arithmetic(model.format() == "tflite" ? "tflite-ref" : "ort-noopt");
}

// The reference's tensors of every sample.
Result<std::vector<Sample>> reference_of(const Graph& model, const std::string& input) {
  std::vector<std::string> notes;
  LOCKSTEP_TRY(const std::vector<Sample> inputs, read_inputs(input, model, notes));
  LOCKSTEP_TRY(const Executor executor, Executor::make(model, reference_arithmetic(model)));
  LOCKSTEP_TRY(Capture capture, executor.run(inputs));
  return std::move(capture.samples);
}

Result<void> compare(const NpuOptions& o) {
  const auto mode = npu_mode_named(o.mode);
  if (!mode) return Error{"--mode", o.mode, "chained, forced or exact", {}};
  LOCKSTEP_TRY(const NpuRules rules, rules_from(o));
  LOCKSTEP_TRY(NpuProgram program, read_npu_program(o.program));
  LOCKSTEP_TRY(const Graph model, import_npu_model(o.model));
  LOCKSTEP_TRY(const NpuMapping mapping, map_with_side_files(program, model));
  LOCKSTEP_TRY(NpuSimulator simulator,
               NpuSimulator::make(std::make_shared<const NpuProgram>(std::move(program)), rules));
  LOCKSTEP_TRY(const std::vector<Sample> reference, reference_of(model, o.input));
  LOCKSTEP_TRY(const std::vector<NpuRow> rows,
               compare_epochs(simulator, model, mapping, reference, *mode));
  print_npu_rows(rows);
  if (*mode != NpuMode::forced) return {};
  LOCKSTEP_TRY(const std::vector<NpuInnerRow> inner,
               compare_inner(simulator, model, mapping, reference));
  print_npu_inner(inner);
  return {};
}

// Why codes differ from onnxruntime's, epoch by epoch.
Result<void> attribute(const NpuOptions& o) {
  LOCKSTEP_TRY(const NpuRules rules, rules_from(o));
  const auto versus = npu_tie_named(o.versus);
  if (!versus) return Error{"--versus-ties", o.versus, "away, up, even, odd, zero or down", {}};
  LOCKSTEP_TRY(NpuProgram program, read_npu_program(o.program));
  LOCKSTEP_TRY(const Graph model, import_npu_model(o.model));
  LOCKSTEP_TRY(const NpuMapping mapping, map_with_side_files(program, model));
  LOCKSTEP_TRY(NpuSimulator simulator,
               NpuSimulator::make(std::make_shared<const NpuProgram>(std::move(program)), rules));
  LOCKSTEP_TRY(const std::vector<Sample> reference, reference_of(model, o.input));
  LOCKSTEP_TRY(const std::vector<NpuAttribution> rows,
               attribute_epochs(simulator, model, mapping, reference, *versus,
                                reference_arithmetic(model).numerics->conv));
  print_npu_attribution(rows, o.versus, o.ties.empty() ? "away" : o.ties);
  return {};
}

// Captured tensors and, where they lack the network inputs, those of --input.
Result<std::vector<Sample>> captured_samples(const NpuOptions& o, const Graph& model) {
  const Arithmetic* arithmetic = find_arithmetic("ort-noopt");
  LOCKSTEP_TRY(const std::unique_ptr<Target> target, open_target(o.captures, {model, *arithmetic}));
  std::vector<Sample> inputs;
  std::vector<std::string> notes;
  if (!o.input.empty()) {
    LOCKSTEP_TRY(inputs, read_inputs(o.input, model, notes));
  }
  LOCKSTEP_TRY(Capture capture, target->run(inputs, {}));
  for (std::size_t i = 0; i < capture.samples.size() && i < inputs.size(); ++i)
    capture.samples[i].insert(inputs[i].begin(), inputs[i].end());
  return std::move(capture.samples);
}

Result<void> fit(const NpuOptions& o) {
  LOCKSTEP_TRY(NpuProgram program, read_npu_program(o.program));
  LOCKSTEP_TRY(const Graph model, import_npu_model(o.model));
  LOCKSTEP_TRY(const NpuMapping mapping, map_with_side_files(program, model));
  LOCKSTEP_TRY(NpuSimulator simulator,
               NpuSimulator::make(std::make_shared<const NpuProgram>(std::move(program))));
  LOCKSTEP_TRY(const std::vector<Sample> captured, captured_samples(o, model));
  LOCKSTEP_TRY(const std::vector<NpuFitRow> rows,
               fit_npu_rules(simulator, model, mapping, captured));
  fmt::print("{:15} {:6} {:>10} {:>10}  {}\n", "stage", "ties", "codes", "differ",
             "the captures say");
  for (const NpuFitRow& r : rows)
    fmt::print("{:15} {:6} {:10} {:10}  {}{}\n", r.stage, npu_tie_names[static_cast<int>(r.rule)],
               r.compared, r.differing, name_of(proof_of(rows, r)),
               r.is_default ? " (default)" : "");
  return {};
}

// Writes what every epoch makes, in the program's own buffers, and says how fast it ran.
Result<void> run(const NpuOptions& o) {
  const auto mode = npu_mode_named(o.mode);
  if (!mode) return Error{"--mode", o.mode, "chained, forced or exact", {}};
  LOCKSTEP_TRY(const NpuRules rules, rules_from(o));
  LOCKSTEP_TRY(NpuProgram program, read_npu_program(o.program));
  LOCKSTEP_TRY(const Graph model, import_npu_model(o.model));
  LOCKSTEP_TRY(const NpuMapping mapping, map_with_side_files(program, model));
  LOCKSTEP_TRY(NpuSimulator simulator,
               NpuSimulator::make(std::make_shared<const NpuProgram>(std::move(program)), rules));
  LOCKSTEP_TRY(const std::vector<Sample> reference, reference_of(model, o.input));
  LOCKSTEP_TRY(const Capture capture, record_npu(simulator, model, mapping, reference, *mode, {}));
  LOCKSTEP_TRY(const Sample inputs, simulator_inputs(simulator, model, mapping, reference[0]));
  const std::clock_t start = std::clock();
  constexpr int repeats = 5;
  for (int i = 0; i < repeats; ++i) LOCKSTEP_CHECK(simulator.run(inputs));
  const double ms = 1e3 * static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC / repeats;
  fmt::print(
      "{} samples, {} tensors each; {:.1f} ms of one core and {:.1f} M multiply-accumulates an "
      "inference\n",
      capture.samples.size(), capture.order.size(), ms,
      static_cast<double>(simulator.counts().macs) / 1e6);
  for (const std::string& note : capture.notes) fmt::print("inexact  {}\n", note);
  if (o.output.empty()) return {};
  NpzMembers members;
  for (const std::string& name : capture.order) {
    NpyArray a{capture.infos.at(name).dtype, capture.infos.at(name).shape, {}};
    const auto samples = static_cast<std::int64_t>(capture.samples.size());
    if (!a.shape.empty() && a.shape[0] == 1)
      a.shape[0] = samples;  // as `run` has it
    else
      a.shape.insert(a.shape.begin(), samples);
    for (const Sample& s : capture.samples) {
      const auto bytes = s.at(name).bytes();
      a.bytes.insert(a.bytes.end(), bytes.begin(), bytes.end());
    }
    members.emplace_back(name, std::move(a));
  }
  return write_npz(o.output, members);
}

Result<void> print_map(const NpuOptions& o) {
  LOCKSTEP_TRY(NpuProgram program, read_npu_program(o.program));
  LOCKSTEP_TRY(const NpuSideFiles side, read_side_files(o.program));
  complete_program(program, side);
  LOCKSTEP_TRY(const Graph model, import_npu_model(o.model));
  const NpuMapping mapping = map_npu_buffers(program, model, names_from(side, program, model));
  for (const std::string& file : side.files) fmt::print("read      {}\n", file);
  print_npu_epochs(program, side, mapping, model);
  for (const NpuPair& p : mapping.pairs) fmt::print("{:48} {:64} {}\n", p.buffer, p.value, p.how);
  for (const std::string& u : mapping.unmapped) fmt::print("unmapped  {}\n", u);
  return {};
}

// Planted compiler bugs, kind by kind: how many were found, at the very epoch.
Result<void> seed_bugs(const NpuOptions& o) {
  LOCKSTEP_TRY(NpuProgram program, read_npu_program(o.program));
  LOCKSTEP_TRY(const Graph model, import_npu_model(o.model));
  LOCKSTEP_TRY(const NpuMapping mapping, map_with_side_files(program, model));
  LOCKSTEP_TRY(const std::vector<Sample> reference, reference_of(model, o.input));
  LOCKSTEP_TRY(const std::vector<NpuBugTrial> trials,
               try_npu_bugs(program, model, mapping,
                            std::span(reference).first(std::min<std::size_t>(reference.size(), 3)),
                            o.seeds, static_cast<std::uint64_t>(o.first)));
  print_npu_trials(trials);
  return {};
}

}  // namespace

void add_npu(CLI::App& app, int& code) {
  auto* npu = app.add_subcommand(
      "npu", "a compiled Neural-ART program: run it here, map it, fit its rules");
  npu->require_subcommand(1);
  auto o = std::make_shared<NpuOptions>();
  const auto add = [&](const char* name, const char* text, Result<void> (*run)(const NpuOptions&),
                       bool input) {
    auto* command = npu->add_subcommand(name, text);
    command->add_option("PROGRAM", o->program, "x.program.json or network.c")->required();
    command->add_option("--model", o->model, "the network as the user wrote it")->required();
    if (input) {
      command->add_option("--input", o->input, "inputs, .npz or .npy")->required();
      command->add_option("--mode", o->mode, "chained, forced or exact");
      command->add_option("--ties", o->ties,
                          "tie rule of all rounding stages: away, up, even, odd, zero, down");
    }
    command->callback([o, run, &code] {
      const Result<void> done = run(*o);
      code = done.ok() ? 0 : fail(done.error());
    });
  };
  add("compare", "each epoch against onnxruntime's arithmetic, as a table", compare, true);
  add("attribute",
      "why codes differ from onnxruntime's: rounding, 16-bit sums, factors and saturation, tables, "
      "codes that arrive as the program made them, ties",
      attribute, true);
  npu->get_subcommand("attribute")
      ->add_option("--versus-ties", o->versus, "the tie rule that the column `ties` compares with");
  add("fit", "which rounding rules captured tensors prove", fit, false);
  npu->get_subcommand("fit")
      ->add_option("--captures", o->captures, "captured tensors: any target")
      ->required();
  npu->get_subcommand("fit")->add_option("--input", o->input,
                                         "the network inputs, where the captures lack them");
  add(
      "explain",
      "a device's differences, split by what its program makes of the device's own inputs",
      [](const NpuOptions& q) {
        return explain_with_program({q.program, q.model, q.target, q.input});
      },
      false);
  npu->get_subcommand("explain")
      ->add_option("--target", o->target, "the device: captures or any target")
      ->required();
  npu->get_subcommand("explain")->add_option("--input", o->input,
                                             "the network inputs, where the captures lack them");
  add("run", "the program's tensors on these inputs, and how long they took", run, true);
  npu->get_subcommand("run")->add_option("-o,--output", o->output, "the .npz to write");
  add("seed", "plants compiler bugs into the program and looks for them: a table by kind",
      seed_bugs, true);
  npu->get_subcommand("seed")
      ->add_option("--seeds", o->seeds, "places of each kind")
      ->check(CLI::Range(1, 100));
  npu->get_subcommand("seed")
      ->add_option("--first", o->first, "the first seed: others, other places")
      ->check(CLI::Range(1, 1000000));
  add_npu_files(*npu, code);
  add("map", "epochs and buffers to the model's own tensors", print_map, false);
}

}  // namespace lockstep
