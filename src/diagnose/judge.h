#pragma once

#include <string>

#include "diagnose/search.h"
#include "target/target.h"

namespace lockstep {

// Operations that one part of the device computes, by the tensors of the model that they make.
struct UnitWork {
  std::string unit;  // "ARITH 1"
  std::vector<std::string> tensors;
};

// Everything a verdict is made from. `reference` and `others` compute the same imported model.
struct Case {
  const Executor& reference;
  Recorded recorded;
  Tolerance tolerance;
  Others others;
  SearchOptions search;
  Others carriers = {};  // executors that compute on codes what the reference computes in reals
  // How to ask again, for "what to capture next": as the user named them.
  std::string model, target, input;
  std::vector<UnitWork> units = {};  // where a compiled program says which unit computes what
  // Further options of the request as `run`, `validate` and `diagnose` take them, and those of
  // generated inputs.
  std::string asked = {}, generated = {};
};

// Compares, runs the local test, and where something is wrong looks for the cause, proves it by
// replay and says what to do. Errors are those of the reference that cannot be run.
Result<Verdict> judge(const Case& c, const std::vector<std::string>& left_device = {});

// Parts of it, in the order in which `judge` calls them.
Result<std::string> computes_as(const Case& c, const Comparison& comparison);
Reach reach_of(const Case& c, const Verdict& verdict);
Result<std::vector<Repair>> replay_repair(const Case& c, const Verdict& verdict);
Result<std::vector<Rewrite>> predict_rewrites(const Case& c, const Verdict& verdict);
std::vector<std::string> capture_next(const Case& c, const Verdict& verdict);
// A word of a printed command, as a shell takes it.
std::string quoted(const std::string& word);
// The tensors between captured ones that halve what `row` was recomputed over, and how to ask
// again; empty when nothing lies between.
std::vector<std::string> capture_inside(const Case& c, const Row& row);

}  // namespace lockstep
