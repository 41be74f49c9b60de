#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>

#include <fmt/core.h>

#include "base/npy.h"
#include "import/import.h"
#include "kernel/kernel_peak.h"
#include "op/op.h"
#include "run/executor.h"
#include "run/generated.h"
#include "tool/bench_compare.h"
#include "tool/bench_layers.h"
#include "tool/command.h"

namespace lockstep {
namespace {

namespace fs = std::filesystem;

struct Options {
  std::vector<std::string> models, against;
  std::vector<int> threads = {1, 2};
  std::string arithmetic, json;
  BenchEffort effort;
  std::uint64_t seed = 42;
  bool layers = false;
  BenchServing serve;
};

// The checkout around the working directory or the program: where bench/ and .venv/ stand.
Result<fs::path> checkout() {
  fs::path without;  // a checkout whose .venv is missing
  for (const fs::path& start : {fs::current_path(), fs::path(own_path()).parent_path()})
    for (fs::path at = start; !at.empty(); at = at.parent_path()) {
      if (fs::exists(at / "bench" / "speed_worker.py")) {
        if (fs::exists(at / ".venv" / "bin" / "python")) return at;
        without = at;
      }
      if (at == at.root_path()) break;
    }
  if (!without.empty())
    return Error{"bench", "no " + (without / ".venv").string() + ": the runtimes to compare with",
                 "onnxruntime and LiteRT there", "`make oracles` in the checkout installs them"};
  return Error{"bench", "no bench/speed_worker.py around the working directory or the program",
               "the checkout of Lockstep", "run it from there, after `make oracles`"};
}

// The runtime that the model's format belongs to.
std::string usual_runtime(const Graph& g) {
  return g.format() == "onnx" ? "ort" : "litert";
}

std::string arithmetic_of(const Graph& g, const Options& o) {
  if (!o.arithmetic.empty()) return o.arithmetic;
  if (g.format() == "onnx") return "ort";
  const Arithmetic* const delegate = find_arithmetic("tflite");
  return delegate && Executor::make(g, *delegate).ok() ? "tflite" : "tflite-ref";
}

std::int64_t macs_of(const Graph& g) {
  std::int64_t macs = 0;
  for (const Node& n : g.nodes())
    if (const OpDef* const op = find_op(n.op); op->cost) macs += op->cost({g, n}).macs;
  return macs;
}

Result<void> write_inputs(const Graph& g, std::uint64_t seed, const std::string& path) {
  NpzMembers members;
  const std::vector<Sample> samples = generated_inputs(g, 1, seed);
  for (const ValueId v : g.inputs()) {
    const Tensor& t = samples[0].at(g.value(v).name);
    members.push_back(
        {g.value(v).name, {t.dtype(), t.shape(), Bytes(t.bytes().begin(), t.bytes().end())}});
  }
  return write_npz(path, members);
}

nlohmann::json as_json(const BenchFigures& f) {
  return {{"model", f.model},
          {"arith", f.arithmetic},
          {"against", f.against},
          {"threads", f.threads},
          {"ratio_median", f.ratio},
          {"ratio_min", f.least},
          {"ratio_max", f.most},
          {"ms", f.own * 1e3},
          {"against_ms", f.other * 1e3},
          {"macs", f.macs},
          {"observed_ratio", f.observed},
          {"read_ratio", f.read},
          {"replay_ratio", f.replay},
          {"evaluated_nodes", f.evaluated},
          {"largest_layer_macs_per_second", f.rate},
          {"peak_macs_per_second", f.peak},
          {"load_ms", f.own_ready.load * 1e3},
          {"first_ms", f.own_ready.first * 1e3},
          {"against_load_ms", f.other_ready.load * 1e3},
          {"against_first_ms", f.other_ready.first * 1e3},
          {"peak_kb", f.own_ready.peak_kb},
          {"against_peak_kb", f.other_ready.peak_kb},
          {"against_start_kb", f.other_ready.start_kb}};
}

void print_row(const BenchFigures& f) {
  fmt::print(
      "{:<44} {:>10} {:>7} {:>2}  {:>9.3f} {:>9.3f}  {:>5.2f} [{:.2f} {:.2f}]  {:>8.2f} {:>6.2f}  "
      "{:>4.0f} "
      "%  {:>6.1f} {:>6.1f}  {:>5.1f} {:>5.1f}\n",
      fs::path(f.model).filename().string().substr(0, 44), f.arithmetic, f.against, f.threads,
      f.own * 1e3, f.other * 1e3, f.ratio, f.least, f.most, f.observed, f.read,
      f.threads == 1 && f.peak > 0 ? 100 * f.rate / f.peak : 0.0,
      (f.own_ready.load + f.own_ready.first) * 1e3,
      (f.other_ready.load + f.other_ready.first) * 1e3,
      static_cast<double>(f.own_ready.peak_kb) / 1024,
      static_cast<double>(f.other_ready.peak_kb) / 1024);
  std::fflush(stdout);
}

void print_means(const std::vector<BenchFigures>& rows) {
  std::map<std::pair<std::string, int>, std::vector<double>> ratios;
  for (const BenchFigures& f : rows)
    if (f.macs > 1000000) ratios[{f.against, f.threads}].push_back(f.ratio);
  for (const auto& [row, all] : ratios) {
    double sum = 0;
    for (const double ratio : all) sum += std::log(ratio);
    fmt::print(
        "against {}, {} thread{}: geometric mean of {} models of more than 1 M MAC: {:.3f}, "
        "greatest {:.3f}\n",
        row.first, row.second, row.second == 1 ? "" : "s", all.size(),
        std::exp(sum / static_cast<double>(all.size())), *std::ranges::max_element(all));
  }
}

Result<void> run(const Options& o) {
  for (const std::string& model : o.models)
    if (!fs::exists(model)) return Error{model, "no such file", ".onnx or .tflite", ""};
  LOCKSTEP_TRY(const fs::path root, checkout());
  const PeakRate peak = measure_peak(0.3);
  fmt::print("one core makes at most {:.0f} G 8-bit multiply-accumulates a second ({})\n",
             peak.macs_per_second / 1e9, peak.instruction);
  fmt::print("{:<44} {:>10} {:>7} {:>2}  {:>9} {:>9}  {:>17}  {:>8} {:>6}  {:>6}  {:>13}  {:>11}\n",
             "model", "arithmetic", "against", "th", "ms", "its ms", "ratio [min max]", "observed",
             "read", "peak", "load+first ms", "memory MB");
  const std::string inputs =
      (fs::temp_directory_path() / fmt::format("lockstep_bench_{}.npz", ::getpid())).string();
  int skipped = 0;
  std::vector<BenchFigures> rows;
  nlohmann::json list = nlohmann::json::array();
  for (const std::string& model : o.models) {
    const auto imported = import_model(model);
    if (!imported.ok()) {  // said, counted, and the others go on
      fail(imported.error());
      ++skipped;
      continue;
    }
    const Graph& g = *imported;
    LOCKSTEP_CHECK(write_inputs(g, o.seed, inputs));
    const std::vector<std::string> against =
        o.against.empty() ? std::vector{usual_runtime(g)} : o.against;
    for (const std::string& runtime : against) {
      if (runtime.starts_with("ort") != (g.format() == "onnx"))
        continue;  // the other format's runtime
      for (const int threads : o.threads) {
        BenchFigures f;
        f.model = model;
        f.arithmetic = arithmetic_of(g, o);
        f.against = runtime;
        f.threads = threads;
        f.macs = macs_of(g);
        auto made = compare_speed(f, root, inputs, o.effort);
        if (!made.ok()) {  // likewise
          fail(made.error());
          ++skipped;
          continue;
        }
        print_row(*made);
        list.push_back(as_json(*made));
        rows.push_back(std::move(*made));
      }
    }
  }
  fs::remove(inputs);
  print_means(rows);
  if (skipped > 0) fmt::print("{} skipped: one side refuses the model\n", skipped);
  if (rows.empty())
    return Error{"bench", "no comparison was made", "a model that both sides run",
                 "ort runs .onnx, litert runs .tflite"};
  return o.json.empty() ? Result<void>() : write_file(o.json, list.dump(1) + "\n");
}

Result<void> layers(const Options& o) {
  for (const std::string& model : o.models)
    LOCKSTEP_CHECK(print_layers({model, o.arithmetic, o.threads, o.seed}));
  return {};
}

}  // namespace

void add_bench(CLI::App& app, int& code) {
  auto* command =
      app.add_subcommand("bench", "times models against the runtimes that it imitates, in turns");
  auto o = std::make_shared<Options>();
  command->add_option("MODEL", o->models, ".onnx or .tflite");
  command
      ->add_option("--against", o->against,
                   "ort, ort-noopt, litert, litert-ref; default: the format's own runtime")
      ->delimiter(',')
      ->check(CLI::IsMember({"ort", "ort-noopt", "litert", "litert-ref"}));
  command->add_option("--threads", o->threads, "1,2 by default")
      ->delimiter(',')
      ->check(CLI::Range(1, 256));
  command->add_option("--arith", o->arithmetic,
                      "default: ort, tflite or tflite-ref by the model's format");
  command->add_option("--json", o->json, "writes every figure");
  command->add_option("--seconds", o->effort.seconds, "of timed calls for each row")
      ->check(CLI::Range(0.05, 600.0));
  command->add_option("--rounds", o->effort.rounds, "turns that each side takes")
      ->check(CLI::Range(1, 1000));
  command
      ->add_option("--starts", o->effort.starts,
                   "fresh processes of each side; load time and memory are the middle one's")
      ->check(CLI::Range(1, 100));
  command->add_option("--seed", o->seed, "of the inputs");
  command->add_flag("--layers", o->layers,
                    "no comparison: the time of each step of a run with each number of threads");
  command->add_option("--serve", o->serve.model)->group("");
  command->add_option("--serve-arith", o->serve.arithmetic)->group("");
  command->add_option("--serve-threads", o->serve.threads)->group("");
  command->add_option("--serve-input", o->serve.input)->group("");
  command->callback([o, &code] {
    if (o->serve.model.empty() && o->models.empty()) {
      code = fail(Error{"bench", "no MODEL", "one model or more", ""});
      return;
    }
    if (!o->arithmetic.empty() && !find_arithmetic(o->arithmetic)) {
      code = fail(Error{"--arith", "no arithmetic '" + o->arithmetic + "'",
                        "a name of docs/arithmetics.md", ""});
      return;
    }
    const auto done = !o->serve.model.empty() ? serve_bench(o->serve)
                      : o->layers             ? layers(*o)
                                              : run(*o);
    code = done.ok() ? 0 : fail(done.error());
  });
}

}  // namespace lockstep
