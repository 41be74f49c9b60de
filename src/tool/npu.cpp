#include <CLI/CLI.hpp>
#include <ctime>
#include <memory>

#include <fmt/core.h>

#include "diff/inputs.h"
#include "import/import.h"
#include "base/npy.h"
#include "npu/record.h"
#include "run/executor.h"
#include "tool/command.h"

namespace lockstep {
namespace {

struct NpuOptions {
  std::string program, model, input, mode = "forced", ties, output;
};

Result<NpuRules> rules_from(const NpuOptions& o) {
  NpuRules rules;
  if (o.ties.empty()) return rules;
  const auto tie = npu_tie_named(o.ties);
  if (!tie) return Error{"--ties", o.ties, "away, up, even, odd, zero or down", {}};
  rules.conv = rules.arith = rules.pool = rules.activ = *tie;
  return rules;
}

// The reference's tensors of every sample, in onnxruntime's arithmetic with its graph as it stands.
Result<std::vector<Sample>> reference_of(const Graph& model, const std::string& input) {
  std::vector<std::string> notes;
  LOCKSTEP_TRY(const std::vector<Sample> inputs, read_inputs(input, model, notes));
  const Arithmetic* arithmetic = find_arithmetic(model.format() == "tflite" ? "tflite-ref" : "ort-noopt");
  LOCKSTEP_TRY(const Executor executor, Executor::make(model, *arithmetic));
  LOCKSTEP_TRY(Capture capture, executor.run(inputs));
  return std::move(capture.samples);
}

void print_rows(const std::vector<NpuRow>& rows) {
  fmt::print("{:>5}  {:44} {:>7} {:>10} {:>9} {:>11}\n", "epoch", "buffer", "max LSB", "differ %", "cosine", "mean signed");
  for (const NpuRow& r : rows)
    fmt::print("{:5}  {:44} {:7.0f} {:10.3f} {:9.6f} {:+11.4f}  {}\n", r.epoch, r.buffer, r.max_lsb, 100 * r.share, r.cosine, r.mean_lsb, r.value);
}

Result<void> compare(const NpuOptions& o) {
  const auto mode = npu_mode_named(o.mode);
  if (!mode) return Error{"--mode", o.mode, "chained, forced or exact", {}};
  LOCKSTEP_TRY(const NpuRules rules, rules_from(o));
  LOCKSTEP_TRY(NpuProgram program, read_npu_program(o.program));
  LOCKSTEP_TRY(const Graph model, import_model(o.model));
  const NpuMapping mapping = map_npu_buffers(program, model);
  LOCKSTEP_TRY(NpuSimulator simulator, NpuSimulator::make(std::make_shared<const NpuProgram>(std::move(program)), rules));
  LOCKSTEP_TRY(const std::vector<Sample> reference, reference_of(model, o.input));
  LOCKSTEP_TRY(const std::vector<NpuRow> rows, compare_epochs(simulator, model, mapping, reference, *mode));
  print_rows(rows);
  return {};
}

// Writes what every epoch makes, in the program's own buffers, and says how fast it ran.
Result<void> run(const NpuOptions& o) {
  const auto mode = npu_mode_named(o.mode);
  if (!mode) return Error{"--mode", o.mode, "chained, forced or exact", {}};
  LOCKSTEP_TRY(const NpuRules rules, rules_from(o));
  LOCKSTEP_TRY(NpuProgram program, read_npu_program(o.program));
  LOCKSTEP_TRY(const Graph model, import_model(o.model));
  const NpuMapping mapping = map_npu_buffers(program, model);
  LOCKSTEP_TRY(NpuSimulator simulator, NpuSimulator::make(std::make_shared<const NpuProgram>(std::move(program)), rules));
  LOCKSTEP_TRY(const std::vector<Sample> reference, reference_of(model, o.input));
  LOCKSTEP_TRY(const Capture capture, record_npu(simulator, model, mapping, reference, *mode, {}));
  LOCKSTEP_TRY(const Sample inputs, simulator_inputs(simulator, model, mapping, reference[0]));
  const std::clock_t start = std::clock();
  constexpr int repeats = 5;
  for (int i = 0; i < repeats; ++i) LOCKSTEP_CHECK(simulator.run(inputs));
  const double ms = 1e3 * static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC / repeats;
  fmt::print("{} samples, {} tensors each; {:.1f} ms of one core and {:.1f} M multiply-accumulates an inference\n", capture.samples.size(),
             capture.order.size(), ms, static_cast<double>(simulator.counts().macs) / 1e6);
  for (const std::string& note : capture.notes) fmt::print("inexact  {}\n", note);
  if (o.output.empty()) return {};
  NpzMembers members;
  for (const std::string& name : capture.order) {
    NpyArray a{capture.infos.at(name).dtype, capture.infos.at(name).shape, {}};
    a.shape.insert(a.shape.begin(), static_cast<std::int64_t>(capture.samples.size()));
    for (const Sample& s : capture.samples) {
      const auto bytes = s.at(name).bytes();
      a.bytes.insert(a.bytes.end(), bytes.begin(), bytes.end());
    }
    members.emplace_back(name, std::move(a));
  }
  return write_npz(o.output, members);
}

Result<void> print_map(const NpuOptions& o) {
  LOCKSTEP_TRY(const NpuProgram program, read_npu_program(o.program));
  LOCKSTEP_TRY(const Graph model, import_model(o.model));
  const NpuMapping mapping = map_npu_buffers(program, model);
  for (const NpuPair& p : mapping.pairs) fmt::print("{:48} {:64} {}\n", p.buffer, p.value, p.how);
  for (const std::string& u : mapping.unmapped) fmt::print("unmapped  {}\n", u);
  return {};
}

}  // namespace

void add_npu(CLI::App& app, int& code) {
  auto* npu = app.add_subcommand("npu", "a compiled Neural-ART program: run it here, map it, fit its rules");
  npu->require_subcommand(1);
  auto o = std::make_shared<NpuOptions>();
  const auto add = [&](const char* name, const char* text, Result<void> (*run)(const NpuOptions&), bool input) {
    auto* command = npu->add_subcommand(name, text);
    command->add_option("PROGRAM", o->program, "x.program.json or network.c")->required();
    command->add_option("--model", o->model, "the network as the user wrote it")->required();
    if (input) {
      command->add_option("--input", o->input, "inputs, .npz or .npy")->required();
      command->add_option("--mode", o->mode, "chained, forced or exact");
      command->add_option("--ties", o->ties, "tie rule of all rounding stages: away, up, even, odd, zero, down");
    }
    command->callback([o, run, &code] {
      const Result<void> done = run(*o);
      code = done.ok() ? 0 : fail(done.error());
    });
  };
  add("compare", "each epoch against onnxruntime's arithmetic, as a table", compare, true);
  add("run", "the program's tensors on these inputs, and how long they took", run, true);
  npu->get_subcommand("run")->add_option("-o,--output", o->output, "the .npz to write");
  add("map", "epochs and buffers to the model's own tensors", print_map, false);
}

}  // namespace lockstep
