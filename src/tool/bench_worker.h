#pragma once

#include <sys/types.h>

#include <cstdio>
#include <string>
#include <vector>

#include "base/error.h"

namespace lockstep {

// A process that times its own calls when it is told to (bench/speed_worker.py says how they
// speak).
class BenchWorker {
 public:
  struct Ready {
    double load = 0, first = 0;      // seconds
    long start_kb = 0, peak_kb = 0;  // resident memory before the model is loaded, and at most
  };
  // Starts `arguments` and waits until it is ready. Errors: it ends or says something else.
  static Result<BenchWorker> start(const std::vector<std::string>& arguments);
  BenchWorker(BenchWorker&& other) noexcept;
  BenchWorker& operator=(BenchWorker&&) = delete;
  ~BenchWorker();

  const Ready& ready() const { return ready_; }
  // Median seconds of `calls` calls; "all" asks for another kind of call where the worker knows
  // one.
  Result<double> time(int calls, const std::string& kind = "");
  // Waits until none of its threads runs: some spin for tens of milliseconds after a call, on the
  // processor that another worker's second thread needs. At most a quarter of a second.
  void settle() const;
  // What it answers to a line.
  Result<std::string> ask(const std::string& line);

 private:
  BenchWorker() = default;
  std::string name_;
  pid_t pid_ = -1;
  std::FILE *to_ = nullptr, *from_ = nullptr;
  Ready ready_;
};

// Lockstep's side of the protocol: serves until its input ends. Returns an exit code.
struct BenchServing {
  std::string model, arithmetic, input;
  int threads = 1;
};
Result<void> serve_bench(const BenchServing& options);

}  // namespace lockstep
