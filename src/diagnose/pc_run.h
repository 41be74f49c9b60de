#pragma once

#include <span>
#include <string>
#include <vector>

#include "measure/metrics.h"
#include "run/executor.h"

namespace lockstep {

struct Verdict;

// What the user's own run of the model on a PC is, against what its runtime should yield.
struct PcRun {
  std::string file;
  bool right = false;   // what the reference, or another named arithmetic, computes
  std::string is;       // what it is instead, as one sentence
  std::string spec;     // the fault whose replay reproduces it, "" where none
  std::string verdict;  // with the device's own standing: "the reference is wrong: ..."
  bool faulty = false;  // the PC is the side that is wrong, and the device is not
  std::vector<std::string> advice;
  std::string tensor;  // the first that differs
  Metrics metrics;     // of that tensor against the reference
};

// The device's side of the question.
struct PcQuestion {
  const Graph& model;
  const Executor& reference;
  std::span<const Sample> sent;
  std::span<const Sample> device;  // paired with the reference
  StateMode state = StateMode::reset;
  std::span<const Executor> others;
};

// Reads the PC's outputs (any form of captures; of ST's val_io the original model's side) and says
// which side is wrong. Errors: a file that is none, or of another number of samples.
Result<PcRun> judge_pc(const std::string& file, const PcQuestion& question, const Verdict& device);

// Whether a file of captures also holds what the original model answered on the PC (ST's
// m_outputs).
bool holds_pc_outputs(const std::string& path);

}  // namespace lockstep
