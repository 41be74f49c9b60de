#include "tool/bench_compare.h"

#include <unistd.h>

#include <algorithm>

namespace lockstep {
namespace {

namespace fs = std::filesystem;

double median(std::vector<double> v) {
  std::ranges::sort(v);
  return v[v.size() / 2];
}

// Both workers in turns, each timing its own calls; who begins changes from round to round.
Result<void> take_turns(BenchWorker& own, BenchWorker& other, const BenchEffort& o,
                        BenchFigures& f) {
  LOCKSTEP_TRY(const double own_call, own.time(3));
  own.settle();
  LOCKSTEP_TRY(const double other_call, other.time(3));
  other.settle();
  const auto calls = [&](double seconds) {
    return std::clamp(static_cast<int>(o.seconds / 2 / o.rounds / seconds), 1, 2000);
  };
  std::vector<double> ratios, owns, others;
  for (int round = 0; round < o.rounds; ++round) {
    double a = 0, b = 0;
    for (int turn = 0; turn < 2; ++turn) {
      if ((turn + round) % 2 == 0) {
        LOCKSTEP_TRY(a, own.time(calls(own_call)));
        own.settle();
      } else {
        LOCKSTEP_TRY(b, other.time(calls(other_call)));
        other.settle();
      }
    }
    ratios.push_back(a / b);
    owns.push_back(a);
    others.push_back(b);
  }
  f.ratio = median(ratios);
  f.least = *std::ranges::min_element(ratios);
  f.most = *std::ranges::max_element(ratios);
  f.own = median(owns);
  f.other = median(others);
  return {};
}

Result<void> observe(BenchWorker& own, const BenchEffort& o, BenchFigures& f) {
  std::vector<double> kept, read, replay;
  const int calls = std::clamp(static_cast<int>(0.02 / f.own), 1, 200);
  for (int round = 0; round < std::min(o.rounds, 7); ++round) {
    LOCKSTEP_TRY(const double none, own.time(calls));
    LOCKSTEP_TRY(const double all, own.time(calls, "all"));
    LOCKSTEP_TRY(const double each, own.time(calls, "read"));
    kept.push_back(all / none);
    read.push_back(each / none);
    LOCKSTEP_TRY(const double again, own.time(calls, "replay"));
    replay.push_back(again / none);
  }
  f.observed = median(kept);
  f.read = median(read);
  f.replay = median(replay);
  LOCKSTEP_TRY(const std::string rate, own.ask("rate"));
  if (std::sscanf(rate.c_str(), "%lf %lf", &f.rate, &f.peak) != 2)
    return Error{"bench", "the worker answered '" + rate + "'", "two rates", ""};
  LOCKSTEP_TRY(const std::string evaluated, own.ask("evaluated"));
  f.evaluated = std::atoi(evaluated.c_str());
  return {};
}

struct Pair {
  BenchWorker own, other;
};

// Both sides in fresh processes.
Result<Pair> start_both(const BenchFigures& f, const fs::path& root, const std::string& inputs) {
  const std::string threads = std::to_string(f.threads);
  LOCKSTEP_TRY(
      BenchWorker own,
      BenchWorker::start({own_path(), "bench", "--serve", f.model, "--serve-arith", f.arithmetic,
                          "--serve-threads", threads, "--serve-input", inputs}));
  LOCKSTEP_TRY(BenchWorker other,
               BenchWorker::start({(root / ".venv/bin/python").string(),
                                   (root / "bench/speed_worker.py").string(), f.against, f.model,
                                   "--threads", threads, "--input", inputs}));
  return Pair{std::move(own), std::move(other)};
}

// The middle one of several fresh processes, by load and first call together.
BenchWorker::Ready middle(std::vector<BenchWorker::Ready> all) {
  std::ranges::sort(all, {}, [](const BenchWorker::Ready& r) { return r.load + r.first; });
  return all[all.size() / 2];
}

}  // namespace

std::string own_path() {
  std::error_code ignored;
  return fs::read_symlink("/proc/self/exe", ignored).string();
}

Result<BenchFigures> compare_speed(BenchFigures f, const fs::path& root, const std::string& inputs,
                                   const BenchEffort& o) {
  std::vector<BenchWorker::Ready> own, other;
  for (int start = 0; start < o.starts; ++start) {
    LOCKSTEP_TRY(Pair pair, start_both(f, root, inputs));
    own.push_back(pair.own.ready());
    other.push_back(pair.other.ready());
    if (start + 1 < o.starts) continue;
    LOCKSTEP_CHECK(take_turns(pair.own, pair.other, o, f));
    LOCKSTEP_CHECK(observe(pair.own, o, f));
  }
  f.own_ready = middle(own);
  f.other_ready = middle(other);
  return f;
}

}  // namespace lockstep
