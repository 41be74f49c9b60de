#pragma once

#include <deque>
#include <string>
#include <vector>

#include "base/random.h"
#include "diagnose/judge.h"

namespace lockstep::zoo {

// The fault zoo: virtual devices with a known fault, judged like any other, and counted.

// A model with its inputs, what the reference makes of them, and what every other arithmetic does.
struct Animal {
  std::string name;
  Graph model;
  Executor reference;
  std::vector<Executor> others;
  std::vector<Sample> sent, expected;
  std::size_t few =
      0;  // of them, what is captured where tensors inside are; with outputs only, all are
  std::vector<std::vector<Sample>>
      otherwise;  // by other arithmetic, paired to the reference's names
};
// Fed with samples of the files of recorded inputs, then with generated ones: `samples` of them
// where tensors inside are captured, at least eight where outputs alone are. Errors: a file, or an
// arithmetic that cannot compute the model.
Result<Animal> animal(const std::string& path, std::string_view arithmetic, int samples,
                      std::uint64_t seed, const std::vector<std::string>& inputs = {});

// Which tensors of the device are captured.
enum class Level : std::uint8_t { all, half, outputs };
inline constexpr const char* level_names[] = {"all tensors", "every other tensor", "outputs only"};

// One device. `fault` null: `unknown` names a generator of perturbations that no fault model
// describes.
struct Case {
  const Animal* animal = nullptr;
  const FaultDef* fault = nullptr;
  std::string unknown;
  NodeId node = no_id;
  ValueId input = no_id;
  Params params;
  Level level = Level::all;
  std::uint64_t seed = 0;
  std::string place() const;
  std::string text() const;  // "kws: operand-rescale@add,k=0.5"
};

// A set of parameters for the fault at this place, from hardly visible to total.
Params strength(const FaultDef& fault, const Site& site, Random& random);

// Perturbations outside the catalogue.
inline constexpr const char* unknown_names[] = {"noise", "random-codes", "permuted-channel",
                                                "monotone-table", "mixed"};
// The hook that perturbs the output of `node`; an error where it holds no codes.
Result<NodeHook> perturb(const Animal& animal, const std::string& name, NodeId node,
                         std::uint64_t seed);

struct Plan {
  int sites =
      2;  // places per model and fault with all tensors; with fewer, a third of them, at least one
  int unknown = 2;   // places per model and generator
  double share = 1;  // of the faults, drawn by the seed for each level of evidence
  bool healthy = true;
  std::vector<Level> levels = {Level::all, Level::half, Level::outputs};
  std::vector<std::string> faults;  // empty: all
  std::uint64_t seed = 1;
};
std::vector<Case> cases_of(const Animal& animal, const Plan& plan);

// What became of one device.
enum class Fate : std::uint8_t {
  failed,      // could not be run or judged: the parameters do not fit this place
  invisible,   // equal to the reference or to a named arithmetic on all that is captured
  arithmetic,  // every operation computes as some named arithmetic: no fault by definition
  named,       // the injected fault, at its place
  same,        // another fault whose replay is equal in all that is captured
  wrong,       // another fault
  unexplained,
  undecided,  // the evidence does not tell it from rounding, and the verdict says so
  healthy,    // visible, and acquitted
};
inline constexpr const char* fate_names[] = {"failed",      "invisible", "arithmetic",
                                             "named",       "same",      "wrong",
                                             "unexplained", "undecided", "healthy"};
struct Outcome {
  Fate fate = Fate::failed;
  bool first_right = false;  // the first wrong operation is the faulty one (or spans it)
  bool certain = false;
  bool judged_healthy = false;
  std::string said;             // the cause named, or the failure
  double parameter_error = -1;  // relative, of the fault's continuous parameter; -1: none
  double seconds = 0;
  bool visible() const { return fate >= Fate::named; }
  bool right() const { return fate == Fate::named || fate == Fate::same; }
};
// `work`: of the search, in multiply-accumulates.
Outcome judge_case(const Case& c, double work);

// A healthy device: the model in another arithmetic, judged by all named ones; where the reference
// is the animal's own, again as one that no name is known for: that arithmetic is left out.
struct Pair {
  std::string model, reference, device, said;
  bool alarm = false, alarm_unnamed = false;  // called faulty
};
std::vector<Pair> healthy_pairs(const Animal& animal);

struct Score {
  std::vector<Case> cases;
  std::vector<Outcome> outcomes;  // by case
  std::vector<Pair> pairs;
  double seconds = 0;
};
// All cases judged by `threads` threads; the order of the result does not depend on them.
Score run(std::vector<Case> cases, int threads, double work, bool progress);

// The last line, and the page with tables.
std::string last_line(const Score& score);
std::string page(const Score& score, const std::string& command);

}  // namespace lockstep::zoo
