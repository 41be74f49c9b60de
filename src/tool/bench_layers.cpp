#include "tool/bench_layers.h"

#include <algorithm>
#include <chrono>
#include <limits>

#include <fmt/core.h>

#include "base/copy_bytes.h"
#include "base/text.h"
#include "import/import.h"
#include "kernel/kernel_peak.h"
#include "op/op.h"
#include "run/executor.h"
#include "run/generated.h"
#include "run/session.h"

namespace lockstep {
namespace {

constexpr int rounds = 20, most_runs = 200;
constexpr double round_seconds = 0.03;  // of one number of threads: they come to run apart

struct Layer {
  std::string what;
  NodeId node = no_id;
  std::vector<double> least;  // by number of threads
};

Result<std::unique_ptr<Session>> session_of(const Executor& e, const LayersRequest& r,
                                            int threads) {
  const Graph& g = e.graph();
  Session::Options o;
  o.threads = threads;
  o.given.assign(g.inputs().begin(), g.inputs().end());
  for (const State& s : g.states()) o.given.push_back(s.in);
  o.goals.assign(g.outputs().begin(), g.outputs().end());
  LOCKSTEP_TRY(auto session, Session::make(g, *e.arithmetic().numerics, e.kernels(), o));
  const std::vector<Sample> inputs = generated_inputs(g, 1, r.seed);
  for (const ValueId v : session->given())
    if (const auto it = inputs[0].find(g.value(v).name); it != inputs[0].end())
      copy_bytes(it->second.bytes(), session->input(v).data());
  return session;
}

std::int64_t macs_of(const Graph& g, NodeId n) {
  const OpDef* const op = n == no_id ? nullptr : find_op(g.node(n).op);
  return op && op->cost ? op->cost({g, g.node(n)}).macs : 0;
}

// Runs of one session; the least time of each step becomes element `at` of its layer.
void measure(Session& session, std::size_t at, std::size_t count, std::vector<Layer>& layers) {
  const auto start = std::chrono::steady_clock::now();
  for (int run = 0; run < most_runs; ++run) {
    const auto times = session.profile();
    layers.resize(times.size());
    for (std::size_t i = 0; i < times.size(); ++i) {
      Layer& l = layers[i];
      l.what = times[i].what;
      l.node = times[i].node;
      l.least.resize(count, std::numeric_limits<double>::infinity());
      l.least[at] = std::min(l.least[at], times[i].seconds);
    }
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
    if (run >= 2 && took.count() > round_seconds) return;
  }
}

void print(const Executor& e, const LayersRequest& request, const std::vector<Layer>& layers,
           double peak) {
  const auto in_all = [&](std::size_t at) {
    double sum = 0;
    for (const Layer& l : layers) sum += l.least[at];
    return sum;
  };
  std::string heads;
  for (const int threads : request.threads)
    heads +=
        fmt::format(" {:>9} {:>6} {:>7}", fmt::format("us, {} th", threads), "share", "of peak");
  fmt::print("{}  {}; the least time of each step of many runs\n{} {:>10}  step\n", request.model,
             e.arithmetic().name, heads, "MAC");
  for (const Layer& l : layers) {
    const std::int64_t macs = macs_of(e.graph(), l.node);
    const std::string shape =
        l.node == no_id ? "" : shape_text(e.graph().value(e.graph().node(l.node).outputs[0]).shape);
    for (std::size_t at = 0; at < request.threads.size(); ++at)
      fmt::print(" {:>9.2f} {:>4.0f} % {:>7}", l.least[at] * 1e6, 100 * l.least[at] / in_all(at),
                 macs > 0
                     ? fmt::format("{:.0f} %", 100 * static_cast<double>(macs) / l.least[at] / peak)
                     : "");
    fmt::print(" {:>10}  {} {}\n", macs > 0 ? fmt::format("{}", macs) : "", l.what, shape);
  }
  for (std::size_t at = 0; at < request.threads.size(); ++at)
    fmt::print(" {:>9.2f} {:>6} {:>7}", in_all(at) * 1e6, "", "");
  fmt::print(" {:>10}  in all\n", "");
}

}  // namespace

Result<void> print_layers(const LayersRequest& request) {
  LOCKSTEP_TRY(const Graph graph, import_model(request.model));
  const bool onnx = graph.format() == "onnx";
  const std::string arithmetic = !request.arithmetic.empty() ? request.arithmetic
                                 : onnx                      ? "ort"
                                                             : "tflite";
  LOCKSTEP_TRY(const Executor e, Executor::make(graph, *find_arithmetic(arithmetic)));
  std::vector<std::unique_ptr<Session>> sessions;
  for (const int threads : request.threads) {
    LOCKSTEP_TRY(auto session, session_of(e, request, threads));
    LOCKSTEP_CHECK(session->run());
    sessions.push_back(std::move(session));
  }
  std::vector<Layer> layers;
  double peak = 0;
  for (int round = 0; round < rounds; ++round) {
    if (round % 4 == 0) peak = std::max(peak, measure_peak(0.004).macs_per_second);
    for (std::size_t at = 0; at < sessions.size(); ++at)
      measure(*sessions[at], at, sessions.size(), layers);
  }
  print(e, request, layers, peak);
  return {};
}

}  // namespace lockstep
