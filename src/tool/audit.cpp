#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include "base/files.h"
#include "npu/audit_named.h"
#include "npu/npu_model.h"
#include "tool/command.h"

namespace lockstep {
namespace {

struct AuditOptions {
  std::string program, other, model, optimized, json;
};

Result<NpuSimulator> load(const std::string& path) {
  LOCKSTEP_TRY(NpuProgram program, read_npu_program(path));
  return NpuSimulator::make(std::make_shared<const NpuProgram>(std::move(program)));
}

void print(const NpuFinding& f) {
  fmt::print("{:8} epoch {:<4} {:22} {}\n", name_of(f.severity), f.epoch, f.rule, f.where);
  fmt::print("         figure       {}\n", f.what);
  if (!f.consequence.empty()) fmt::print("         consequence  {}\n", f.consequence);
  if (!f.advice.empty()) fmt::print("         do           {}\n", f.advice);
}

Result<void> write_json(const std::string& path, const std::vector<NpuFinding>& found) {
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  for (const NpuFinding& f : found)
    list.push_back({{"rule", f.rule},
                    {"severity", std::string(name_of(f.severity))},
                    {"epoch", f.epoch},
                    {"where", f.where},
                    {"figure", f.what},
                    {"consequence", f.consequence},
                    {"lsb", f.lsb},
                    {"do", f.advice}});
  return write_file(
      path, std::string_view(nlohmann::ordered_json{
                                 {"format", "lockstep-audit"}, {"version", 1}, {"findings", list}}
                                 .dump(1) +
                             "\n"));
}

Result<int> audit(const AuditOptions& o) {
  LOCKSTEP_TRY(const NpuSimulator program, load(o.program));
  std::vector<NpuFinding> found;
  std::unique_ptr<Graph> model;
  if (!o.model.empty()) {
    LOCKSTEP_TRY(Graph graph, import_npu_model(o.model));
    model = std::make_unique<Graph>(std::move(graph));
  }
  std::unique_ptr<Graph> optimized;
  if (!o.optimized.empty()) {
    if (!model)
      return Error{"--optimized", o.optimized, "--model, the graph that it was made of", ""};
    LOCKSTEP_TRY(Graph graph, import_npu_model(o.optimized));
    optimized = std::make_unique<Graph>(std::move(graph));
  }
  LOCKSTEP_TRY(const NpuSideFiles side, read_side_files(o.program));
  const Graph* against = optimized ? optimized.get() : model.get();
  LOCKSTEP_TRY(found,
               audit_npu(program, against,
                         against ? names_from(side, program.program(), *against) : NpuNames()));
  const std::vector<NpuFinding> build = audit_build(program.program(), side);
  found.insert(found.begin(), build.begin(), build.end());
  if (optimized) {
    const std::vector<NpuFinding> graphs = compare_graphs(*model, *optimized);
    const auto wrong = std::ranges::find(found, NpuSeverity::error, &NpuFinding::severity);
    fmt::print("original -> optimized  {}\noptimized -> program   {}\n",
               graphs.empty() ? "every layer agrees" : "departs first at " + graphs[0].where,
               wrong == found.end()
                   ? "every constant agrees"
                   : fmt::format("departs first in epoch {}, {}", wrong->epoch, wrong->where));
    found.insert(found.begin(), graphs.begin(), graphs.end());
  }
  if (!o.other.empty()) {
    LOCKSTEP_TRY(const NpuSimulator other, load(o.other));
    LOCKSTEP_TRY(const std::vector<NpuFinding> differ, compare_npu(program, other));
    found.insert(found.end(), differ.begin(), differ.end());
  }
  int counts[3] = {0, 0, 0};
  for (const NpuFinding& f : found) {
    print(f);
    ++counts[static_cast<int>(f.severity)];
  }
  fmt::print("{} errors, {} warnings, {} notes{}\n", counts[2], counts[1], counts[0],
             model ? "" : "; constants held to the program's own tables: no --model");
  if (!o.json.empty()) LOCKSTEP_CHECK(write_json(o.json, found));
  return counts[2] > 0 ? 1 : 0;
}

}  // namespace

void add_audit(CLI::App& app, int& code) {
  auto* command = app.add_subcommand(
      "audit", "checks what the NPU compiler emitted against the model, without running it");
  auto o = std::make_shared<AuditOptions>();
  command->add_option("PROGRAM", o->program, "x.program.json or network.c")->required();
  command->add_option("OTHER", o->other, "a second compilation to compare with");
  command->add_option("--model", o->model, "the network as the user wrote it");
  command->add_option("--optimized", o->optimized,
                      "the compiler's optimized graph: original, optimized and program are "
                      "compared stage by stage");
  command->add_option("--json", o->json, "writes the findings");
  command->callback([o, &code] {
    const Result<int> done = audit(*o);
    code = done.ok() ? *done : fail(done.error());
  });
}

}  // namespace lockstep
