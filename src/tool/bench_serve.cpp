#include <algorithm>
#include <chrono>
#include <cstring>
#include <fstream>
#include <iostream>
#include <map>
#include <sstream>

#include <fmt/core.h>

#include "base/copy_bytes.h"
#include "base/npy.h"
#include "import/import.h"
#include "kernel/kernel_peak.h"
#include "op/op.h"
#include "run/executor.h"
#include "run/recording.h"
#include "run/session.h"
#include "tool/bench_worker.h"

namespace lockstep {
namespace {

using Clock = std::chrono::steady_clock;

double since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

// "VmRSS:" resident memory now, "VmHWM:" at most (of this program, not of whoever started it).
long memory_kb(const std::string& line_begin) {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);)
    if (line.starts_with(line_begin))
      return std::strtol(line.c_str() + line_begin.size(), nullptr, 10);
  return 0;
}

// What a call yields beside the network's outputs.
enum class Observing : std::uint8_t {
  none,
  all,   // every tensor of the lowered graph can be read when the call returns
  read,  // and is read: brought to the type and the order that the file gives it
};

// One planned network with its inputs and a place for its outputs.
class Calls {
 public:
  static Result<Calls> make(const Executor& e, const NpzMembers& arrays, int threads,
                            Observing what) {
    const Graph& g = e.graph();
    Session::Options o;
    o.threads = threads;
    o.given.assign(g.inputs().begin(), g.inputs().end());
    for (const State& s : g.states()) o.given.push_back(s.in);
    o.goals.assign(g.outputs().begin(), g.outputs().end());
    if (what != Observing::none)
      for (const Node& n : g.nodes())
        for (const ValueId v : n.outputs)
          if (v != no_id) o.readable.push_back(v);
    Calls c;
    LOCKSTEP_TRY(c.session_, Session::make(g, *e.arithmetic().numerics, e.kernels(), o));
    for (const ValueId v : c.session_->given())
      for (const auto& [name, array] : arrays)
        if (name == g.value(v).name) c.inputs_.push_back({v, array.bytes});
    for (const ValueId v : o.goals) c.outputs_.push_back({v, Bytes(c.session_->value(v).size())});
    if (what == Observing::read)
      for (const ValueId v : o.readable)
        c.read_.push_back({v, Bytes(static_cast<std::size_t>(count_of(g.value(v).shape)) *
                                    size_of(g.value(v).dtype))});
    return c;
  }

  // As a user calls: inputs in, outputs out.
  Result<void> call() {
    for (const auto& [v, bytes] : inputs_) copy_bytes(bytes, session_->input(v).data());
    LOCKSTEP_CHECK(session_->run());
    for (auto& [v, bytes] : outputs_) copy_bytes(session_->value(v), bytes.data());
    for (auto& [v, bytes] : read_) LOCKSTEP_CHECK(session_->read(v, bytes));
    return {};
  }
  Session& session() { return *session_; }

 private:
  std::unique_ptr<Session> session_;
  std::vector<std::pair<ValueId, Bytes>> inputs_, outputs_, read_;
};

// As a hypothesis is tried: one node late in the network is changed (here to what it was), the
// inputs are known, and the outputs are wanted.
class Replays {
 public:
  static Result<Replays> make(const Executor& e, const NpzMembers& arrays) {
    const Graph& g = e.graph();
    Replays r{e};
    std::int64_t all = 0, before = 0;
    const auto macs = [&](const Node& n) {
      const OpDef* const op = find_op(n.op);
      return op->cost ? op->cost({g, n}).macs : 0;
    };
    for (const Node& n : g.nodes()) all += macs(n);
    for (std::size_t n = 0; n < g.nodes().size(); ++n) {
      before += macs(g.nodes()[n]);
      if (4 * before < 3 * all) continue;
      r.options_.node_hooks.push_back(
          {static_cast<NodeId>(n), [](auto, auto, auto) { return Result<void>(); }});
      break;
    }
    for (const ValueId v : g.inputs())
      for (const auto& [name, array] : arrays)
        if (name == g.value(v).name) r.inputs_[0].emplace(name, tensor_of(array));
    for (const ValueId v : g.outputs()) r.outputs_.push_back(g.value(v).name);
    return r;
  }
  Result<void> call() {
    LOCKSTEP_TRY([[maybe_unused]] const Capture made, e_.run(inputs_, outputs_, options_));
    return {};
  }

 private:
  explicit Replays(const Executor& e) : e_(e), inputs_(1) {}
  const Executor& e_;
  std::vector<Sample> inputs_;
  std::vector<std::string> outputs_;
  RunOptions options_;
};

template <class Timed>
Result<double> median_seconds(Timed& calls, int count) {
  std::vector<double> seconds;
  for (int i = 0; i < count; ++i) {
    const auto start = Clock::now();
    LOCKSTEP_CHECK(calls.call());
    seconds.push_back(since(start));
  }
  std::ranges::nth_element(seconds,
                           seconds.begin() + static_cast<std::ptrdiff_t>(seconds.size() / 2));
  return seconds[seconds.size() / 2];
}

// Multiply-accumulates a second of the convolution (or product) that has the most of them, and the
// most that a core makes on registers, measured in turns: both meet the same company on the
// machine.
constexpr double turn = 0.004;  // seconds
struct Rate {
  double layer = 0, peak = 0, macs = 0;

  void take(const Graph& g, std::span<const Session::StepTime> steps) {
    for (const Session::StepTime& step : steps) {
      if (step.node == no_id || !find_op(g.node(step.node).op)->cost) continue;
      const Value& x = g.value(g.node(step.node).inputs[0]);
      if (size_of(x.dtype) != 1) continue;
      const auto of_step =
          static_cast<double>(find_op(g.node(step.node).op)->cost({g, g.node(step.node)}).macs);
      if (of_step > macs) macs = of_step, layer = 0;
      if (of_step == macs && step.seconds > 0) layer = std::max(layer, macs / step.seconds);
    }
  }
};
Rate largest_rate(const Graph& g, Session& session) {
  Rate rate;
  for (int round = 0; round < 15; ++round) {
    rate.peak = std::max(rate.peak, measure_peak(turn).macs_per_second);
    const auto start = Clock::now();
    do rate.take(g, session.profile());
    while (since(start) < turn);
  }
  return rate;
}

}  // namespace

Result<void> serve_bench(const BenchServing& options) {
  LOCKSTEP_TRY(const NpzMembers arrays, read_npz(options.input));
  const long start_kb = memory_kb("VmRSS:");
  const auto began = Clock::now();
  LOCKSTEP_TRY(const Graph graph, import_model(options.model));
  LOCKSTEP_TRY(const Executor executor,
               Executor::make(graph, *find_arithmetic(options.arithmetic)));
  LOCKSTEP_TRY(Calls calls, Calls::make(executor, arrays, options.threads, Observing::none));
  const double load = since(began);
  const auto first = Clock::now();
  LOCKSTEP_CHECK(calls.call());
  fmt::print("ready {} {} {} {}\n", load, since(first), start_kb, memory_kb("VmHWM:"));
  std::fflush(stdout);
  std::optional<Calls> all, read;
  std::optional<Replays> replays;
  for (std::string line; std::getline(std::cin, line);) {
    if (line == "rate") {
      const Rate rate = largest_rate(executor.graph(), calls.session());
      fmt::print("{} {}\n", rate.layer, rate.peak);
    } else if (line == "evaluated") {
      std::map<std::string, int> ops;  // without a kernel, by operator
      for (const NodeId n : calls.session().evaluated()) ++ops[executor.graph().node(n).op];
      std::string text;
      for (const auto& [op, count] : ops) text += fmt::format(" {} {}", count, op);
      fmt::print("{}{}\n", calls.session().evaluated().size(), text);
    } else {
      std::istringstream words(line);
      std::string kind;
      if (!std::isdigit(static_cast<unsigned char>(line[0]))) words >> kind;
      int count = 1;
      words >> count;
      if (kind == "replay") {
        if (!replays) {
          LOCKSTEP_TRY(Replays made, Replays::make(executor, arrays));
          replays.emplace(std::move(made));
          LOCKSTEP_CHECK(replays->call());
        }
        LOCKSTEP_TRY(const double seconds, median_seconds(*replays, std::max(1, count)));
        fmt::print("{}\n", seconds);
        std::fflush(stdout);
        continue;
      }
      auto& observed = kind == "all" ? all : read;
      if (!kind.empty() && !observed) {
        LOCKSTEP_TRY(Calls made, Calls::make(executor, arrays, options.threads,
                                             kind == "all" ? Observing::all : Observing::read));
        observed.emplace(std::move(made));
      }
      LOCKSTEP_TRY(const double seconds,
                   median_seconds(kind.empty() ? calls : *observed, std::max(1, count)));
      fmt::print("{}\n", seconds);
    }
    std::fflush(stdout);
  }
  return {};
}

}  // namespace lockstep
