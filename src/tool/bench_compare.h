#pragma once

#include <filesystem>

#include "tool/bench_worker.h"

namespace lockstep {

// What one comparison measures.
struct BenchFigures {
  std::string model, arithmetic, against;  // a file, names of an arithmetic and of a runtime
  int threads = 1;
  double ratio = 0, least = 0, most = 0;  // Lockstep's time over the other's, by rounds
  double own = 0, other = 0;              // seconds, medians
  double observed = 0;                    // every tensor kept readable over none
  double read = 0;                        // every tensor read over none
  double replay = 0;                      // a node behind 3/4 of the work changed, over a whole run
  double rate = 0, peak = 0;              // multiply-accumulates a second: largest layer, machine
  std::int64_t macs = 0;
  int evaluated = 0;  // nodes without a kernel
  BenchWorker::Ready own_ready, other_ready;
};

// How long and how often.
struct BenchEffort {
  double seconds = 4;  // of timed calls
  int rounds = 15;     // turns that each side takes
  int starts = 3;      // fresh processes of each side
};

std::string own_path();  // of the program that runs

// Fills in what `f` says of model, arithmetic, runtime and threads: both sides run in processes of
// their own, under the interpreter and the script of `checkout`, on the arrays of the file
// `inputs`.
Result<BenchFigures> compare_speed(BenchFigures f, const std::filesystem::path& checkout,
                                   const std::string& inputs, const BenchEffort& effort);

}  // namespace lockstep
