#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "diagnose/judge.h"

namespace lockstep {

// What a user asks: this model on that target, against this reference.
struct Request {
  std::string model, target;
  std::string reference;  // "" : the usual runtime of the model's format
  std::string input;      // "" : recorded ones of the target, else generated
  std::string tolerance;  // "" : standard
  // Not given: reset, and of a recording whichever its tensors agree with more.
  std::optional<StateMode> state = {};
  int generated_samples = 4;
  std::uint64_t seed = 42;
  std::map<std::string, std::int64_t> dimensions =
      {};  // extents of dimensions that the model leaves open
  std::function<void(const std::string& what)> progress;
  int repeat = 0;  // of each sample on a device; 0: as its link needs
  std::string pc =
      {};  // what the user's own run on the PC yielded; "": nothing, or what ST's val_io holds
  bool envelope = false;             // measured for a mismatch too
  std::vector<UnitWork> units = {};  // of the device's compiled program
  std::string resume;                // captures kept when a link broke; "": none
};

// The answer, with what it refers to.
struct Answer {
  std::shared_ptr<const Executor> reference;
  Description device;
  std::string input;  // the file, or how the inputs were made
  std::vector<std::string> notes;
  Verdict verdict;
  // What the verdict is about, one entry per sample: as sent, the reference's tensors, the device's
  // under the reference's names.
  std::vector<Sample> sent, expected, observed;
  StateMode state = StateMode::reset;  // in which `expected` was made
};

// Opens model and target, runs both, pairs their tensors and judges. Errors: a bad request or file
// (Blame::request), a target out of reach (Blame::target).
Result<Answer> answer(const Request& request);

// The arithmetic of that name, or the default of the format when it is ""; an error lists them.
Result<const Arithmetic*> arithmetic_for(const std::string& name, const std::string& format,
                                         const std::string& option);

// Executors of every other arithmetic that computes the model.
std::vector<Executor> other_arithmetics(const Graph& model, const Arithmetic& reference);

}  // namespace lockstep
