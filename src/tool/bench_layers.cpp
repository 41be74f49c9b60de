#include "tool/bench_layers.h"

#include <algorithm>
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

constexpr int rounds = 60;

struct Layer {
  std::string what;
  NodeId node = no_id;
  double least = std::numeric_limits<double>::infinity();
};

Result<std::unique_ptr<Session>> session_of(const Executor& e, const LayersRequest& r) {
  const Graph& g = e.graph();
  Session::Options o;
  o.threads = r.threads;
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

}  // namespace

Result<void> print_layers(const LayersRequest& request) {
  LOCKSTEP_TRY(const Graph graph, import_model(request.model));
  const bool onnx = graph.format() == "onnx";
  const std::string arithmetic = !request.arithmetic.empty() ? request.arithmetic
                                 : onnx                      ? "ort"
                                                             : "tflite";
  LOCKSTEP_TRY(const Executor e, Executor::make(graph, *find_arithmetic(arithmetic)));
  LOCKSTEP_TRY(const auto session, session_of(e, request));
  LOCKSTEP_CHECK(session->run());
  std::vector<Layer> layers;
  double peak = 0, all = 0;
  for (int round = 0; round < rounds; ++round) {
    if (round % 8 == 0) peak = std::max(peak, measure_peak(0.004).macs_per_second);
    const auto times = session->profile();
    layers.resize(times.size());
    for (std::size_t i = 0; i < times.size(); ++i) {
      layers[i].what = times[i].what;
      layers[i].node = times[i].node;
      layers[i].least = std::min(layers[i].least, times[i].seconds);
    }
  }
  for (const Layer& l : layers) all += l.least;
  fmt::print("{}  {}, {} thread{}; the least time of each step in {} runs\n", request.model,
             arithmetic, request.threads, request.threads == 1 ? "" : "s", rounds);
  fmt::print("{:>9} {:>6} {:>10} {:>7}  step\n", "us", "share", "MAC", "of peak");
  for (const Layer& l : layers) {
    const std::int64_t macs = macs_of(e.graph(), l.node);
    const std::string shape =
        l.node == no_id ? "" : shape_text(e.graph().value(e.graph().node(l.node).outputs[0]).shape);
    fmt::print(
        "{:>9.2f} {:>4.0f} % {:>10} {:>6}  {} {}\n", l.least * 1e6, 100 * l.least / all,
        macs > 0 ? fmt::format("{}", macs) : "",
        macs > 0 ? fmt::format("{:.0f} %", 100 * static_cast<double>(macs) / l.least / peak) : "",
        l.what, shape);
  }
  fmt::print("{:>9.2f} in all\n", all * 1e6);
  return {};
}

}  // namespace lockstep
