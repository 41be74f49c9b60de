#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "run/executor.h"

namespace lockstep {

// What became of elements whose exact result moved between the two inputs.
struct Absorbed {
  bool known = false;              // the exact results could be computed
  std::int64_t moved = 0;          // exact results that differ
  std::int64_t below = 0;          // of those, the same code: rounded away
  std::int64_t low = 0, high = 0;  // of those, both beyond the least or the greatest code: clamped
  double most = 0;                 // greatest move that was rounded away, in steps of the tensor
  double least = 0;                // greatest move too small to count as one, in steps
  bool rails = true;               // all codes are an end of their range
};

// One tensor for all pairs of inputs. Dequantized copies have no row of their own, and a float
// result that only a quantizer reads is shown as the codes made of it.
struct SensitivityRow {
  ValueId value = no_id;
  NodeId node = no_id;  // the operation; no_id for a network input
  std::string tensor, name, op;
  std::int64_t elements = 0, changed = 0;  // over all pairs
  bool has_lsb = false;
  double max_lsb = 0;  // greatest change, in steps; of floats without a scale: in reals
  int codes_used = 0, codes_all = 0;  // over both inputs, all samples; 0 for other than byte codes
  Absorbed absorbed;                  // in all pairs
  Absorbed dying;                     // in those that die here
  int reads_in = 0;                   // pairs whose difference enters this operation
  int dies_in = 0;                    // pairs in which nothing of it leaves
  std::string why;                    // of the pairs that die here, one sentence
};

// The smallest change of one kind that was found to change an output.
struct SmallestChange {
  std::string kind;  // "one element", "every element", "their difference"
  bool found = false;
  double amount = 0;  // steps of the input, signed; "their difference": times the difference
  bool in_steps = true;
  std::string where;                  // "readings[0,3,4]"
  std::int64_t tried = 0;             // inferences
  std::int64_t elements = 0, of = 0;  // "one element": how many of them were tried
};

// A Softmax: how far its greatest logit must move before its codes change.
struct SoftmaxReach {
  std::string node, logits;
  double step = 0;        // of the logits, real
  double gap = 0;         // greatest minus second, in steps
  int up = 0, down = 0;   // least steps of the greatest logit that change a code; 0: none can
  std::int64_t room = 0;  // steps left above the greatest logit; 0: it is at its rail
  bool has_codes = false;
  std::vector<std::int64_t> codes;  // the row as it is
};

struct Sensitivity {
  std::vector<SensitivityRow> rows;
  std::int64_t pairs = 0,
               reaching = 0;  // pairs with unequal inputs; those in which an output differs
  std::vector<SmallestChange> smallest;
  std::vector<SoftmaxReach> softmax;
  std::int64_t base = 1;  // the pair whose first input the searches start from, counted from 1
  std::vector<std::string> notes;
};

using InputPair = std::pair<Sample, Sample>;

// The difference between two inputs, followed through the network in the reference's own
// arithmetic. `runs` bounds the inferences of the search for smallest changes; it starts from the
// first input of the first pair whose difference does not arrive, or, where all do, of the first
// pair. An error is the reference's.
Result<Sensitivity> sensitivity(const Executor& reference, const std::vector<InputPair>& pairs,
                                std::int64_t runs,
                                const std::function<void(const std::string&)>& progress = {});

// Parts of it.
Result<std::vector<SmallestChange>> smallest_changes(
    const Executor& reference, const InputPair& pair, std::int64_t runs,
    const std::function<void(const std::string&)>& progress = {});
Result<std::vector<SoftmaxReach>> softmax_reach(const Executor& reference, const Sample& input);

}  // namespace lockstep
